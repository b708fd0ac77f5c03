#include "matrix/eigen.h"
#include "suite.h"

#include <math.h>

static double apart(Complex a, Complex b) { return complex_size(complex_minus(a, b)); }

// Each expected value must be found once, within room.
static void expect_values(Matrix m, const Complex *expected, double room)
{
    Complex values[40];
    bool used[40] = {false};
    eigenvalues(values, m);
    for (int i = 0; i < m.rows; i++) {
        int best = -1;
        for (int j = 0; j < m.rows; j++)
            if (!used[j] && (best < 0 || apart(values[j], expected[i]) < apart(values[best], expected[i])))
                best = j;
        ck_assert_msg(apart(values[best], expected[i]) <= room,
                      "n = %d: got %.12g%+.12gi, expected %.12g%+.12gi", m.rows, values[best].re,
                      values[best].im, expected[i].re, expected[i].im);
        used[best] = true;
    }
}

START_TEST(matrices_computed_by_hand)
{
    float one[] = {-3}, rotation[] = {0, -1, 1, 0}, jordan[] = {2, 1, 0, 2},
          triangle[] = {1, 5, 9, 0, 2, 7, 0, 0, 3};
    expect_values(matrix_view(1, 1, one), (Complex[]){{-3, 0}}, 0);
    expect_values(matrix_view(2, 2, rotation), (Complex[]){{0, 1}, {0, -1}}, 1e-15);
    expect_values(matrix_view(2, 2, jordan), (Complex[]){{2, 0}, {2, 0}}, 1e-15);
    expect_values(matrix_view(3, 3, triangle), (Complex[]){{1, 0}, {2, 0}, {3, 0}}, 1e-14);
}
END_TEST

// The usual shift maps a cyclic shift of rows to itself: only the other shift gets away.
START_TEST(the_roots_of_one)
{
    for (int n = 2; n <= 12; n++) {
        float data[144] = {0};
        for (int i = 0; i < n; i++) data[((i + 1) % n) * n + i] = 1.0f;
        Complex expected[12];
        for (int k = 0; k < n; k++)
            expected[k] = (Complex){cos(6.283185307179586 * k / n), sin(6.283185307179586 * k / n)};
        expect_values(matrix_view(n, n, data), expected, 1e-12);
    }
}
END_TEST

START_TEST(a_companion_matrix_gives_the_roots_of_its_polynomial)
{
    // (z − 1)(z − 2)(z² − 2z + 5) = z⁴ − 5z³ + 13z² − 19z + 10
    Arena *arena = arena_new();
    Matrix m = companion_matrix(arena, (float[]){5, -13, 19, -10}, 4);
    expect_values(m, (Complex[]){{1, 0}, {2, 0}, {1, 2}, {1, -2}}, 1e-12);
    arena_free(arena);
}
END_TEST

// Σ λ = trace, Σ λ² = trace of m², and |λ|² ≤ Σ m²: for matrices whose eigenvalues nobody knows.
START_TEST(random_matrices_keep_their_traces)
{
    for (int n = 1; n <= 40; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(13, (uint64_t)n);
        Matrix m = matrix_new(arena, n, n);
        fill_normal(m, &rng, 0.0f, 1.0f);
        Complex values[40], total = {0, 0}, squares = {0, 0};
        eigenvalues(values, m);
        for (int i = 0; i < n; i++) {
            total = complex_plus(total, values[i]);
            squares = complex_plus(squares, complex_times(values[i], values[i]));
            if (i > 0) ck_assert_double_ge(complex_size(values[i - 1]), complex_size(values[i]));
        }
        double trace = 0.0, trace_2 = 0.0;
        for (int i = 0; i < n; i++) {
            trace += (double)AT(m, i, i);
            for (int j = 0; j < n; j++) trace_2 += (double)AT(m, i, j) * (double)AT(m, j, i);
        }
        ck_assert_msg(fabs(total.re - trace) <= 1e-11 * n, "n = %d: Σ λ = %.15g, trace %.15g", n, total.re,
                      trace);
        ck_assert_msg(fabs(squares.re - trace_2) <= 1e-10 * n, "n = %d: Σ λ² = %.15g, expected %.15g", n,
                      squares.re, trace_2);
        ck_assert_double_eq(total.im, 0.0); // pairs are exact conjugates
        arena_free(arena);
    }
}
END_TEST

START_TEST(conjugates_stand_side_by_side)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(5, 5);
    Matrix m = matrix_new(arena, 12, 12);
    fill_normal(m, &rng, 0.0f, 1.0f);
    Complex values[12];
    eigenvalues(values, m);
    int pairs = 0;
    for (int i = 0; i < 12; i++) {
        if (values[i].im <= 0.0) continue;
        ck_assert(i + 1 < 12 && values[i + 1].re == values[i].re && values[i + 1].im == -values[i].im);
        pairs++;
    }
    ck_assert_int_ge(pairs, 2);
    arena_free(arena);
}
END_TEST

START_TEST(zeros_and_tiny_and_huge_numbers)
{
    float zeros[9] = {0}, scaled[9];
    expect_values(matrix_view(3, 3, zeros), (Complex[]){{0, 0}, {0, 0}, {0, 0}}, 0);
    const float m[] = {0, -1, 3, 1, 0, 8, 0, 0, 2}, sizes[] = {1e-30f, 1e30f};
    for (int s = 0; s < 2; s++) {
        double size = (double)sizes[s];
        for (int i = 0; i < 9; i++) scaled[i] = m[i] * sizes[s];
        expect_values(matrix_view(3, 3, scaled), (Complex[]){{2 * size, 0}, {0, size}, {0, -size}},
                      1e-6 * size);
    }
}
END_TEST

START_TEST(angles_and_sizes_all_around)
{
    for (int k = -720; k <= 720; k++) {
        double angle = 3.14159265358979 * k / 720.5;
        Complex z = {3.0 * cos(angle), 3.0 * sin(angle)};
        ck_assert_double_eq_tol(complex_angle(z), angle, 1e-14);
        ck_assert_double_eq_tol(complex_size(z), 3.0, 1e-14);
    }
    ck_assert_double_eq(complex_angle((Complex){0, 0}), 0.0);
    ck_assert_double_eq_tol(complex_angle((Complex){-1, 0}), 3.14159265358979324, 1e-15);
}
END_TEST

START_TEST(a_quotient_times_its_divisor_is_what_was_divided)
{
    Complex a = {1.5, -2}, b = {-0.25, 3};
    ck_assert_double_le(apart(complex_times(complex_over(a, b), b), a), 1e-15);
}
END_TEST

START_TEST(the_spectral_radius_is_the_largest_size)
{
    float data[] = {0.6f, -0.8f, 0, 0.8f, 0.6f, 0, 5, 5, 0.5f};
    ck_assert_double_eq_tol(spectral_radius(matrix_view(3, 3, data)), 1.0, 1e-7);
}
END_TEST

START_TEST(sets_of_eigenvalues_are_compared_as_sets)
{
    float a[] = {2, 0, 0, -1}, b[] = {-1, 5, 0, 2}, c[] = {2.2f, 0, 0, -1}, d[] = {2, 0, 0, 2};
    ck_assert_double_eq(eigenvalues_apart(matrix_view(2, 2, a), matrix_view(2, 2, b)), 0.0);
    ck_assert_double_eq_tol(eigenvalues_apart(matrix_view(2, 2, a), matrix_view(2, 2, c)), 0.1, 1e-7);
    ck_assert_double_eq_tol(eigenvalues_apart(matrix_view(2, 2, a), matrix_view(2, 2, d)), 3.0, 1e-7);
}
END_TEST

// The plain series, in which nothing is halved; for matrices of moderate size.
START_TEST(the_exponential_equals_its_series)
{
    for (int n = 1; n <= 9; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(14, (uint64_t)n);
        Matrix m = matrix_new(arena, n, n), e = matrix_new(arena, n, n);
        fill_normal(m, &rng, 0.0f, 1.0f);
        matrix_exponential(e, m, 0.7);
        for (int column = 0; column < n; column++) {
            double term[9] = {0}, next[9], total[9] = {0};
            term[column] = 1.0;
            for (int k = 1; k <= 60; k++) {
                for (int i = 0; i < n; i++) {
                    total[i] += term[i];
                    next[i] = 0.0;
                    for (int j = 0; j < n; j++) next[i] += 0.7 * (double)AT(m, i, j) * term[j] / k;
                }
                memcpy(term, next, sizeof term);
            }
            for (int i = 0; i < n; i++)
                ck_assert_msg(fabs(total[i] - (double)AT(e, i, column)) <= 1e-6 * (1.0 + fabs(total[i])),
                              "n = %d: (%d, %d) is %.9g, expected %.9g", n, i, column,
                              (double)AT(e, i, column), total[i]);
        }
        arena_free(arena);
    }
}
END_TEST

START_TEST(exponentials_known_by_heart_also_in_place)
{
    float turn[] = {0, -1, 1, 0}, grow[] = {3, 0, 0, -200};
    matrix_exponential(matrix_view(2, 2, turn), matrix_view(2, 2, turn), 100.0);
    ck_assert_double_eq_tol((double)turn[0], cos(100.0), 1e-7);
    ck_assert_double_eq_tol((double)turn[2], sin(100.0), 1e-7);
    matrix_exponential(matrix_view(2, 2, grow), matrix_view(2, 2, grow), 1.0);
    ck_assert_double_eq_tol((double)grow[0], exp(3.0), 2e-6);
    ck_assert_double_eq_tol((double)grow[3], 0.0, 1e-30);
    float zero[] = {0};
    matrix_exponential(matrix_view(1, 1, zero), matrix_view(1, 1, zero), 5.0);
    ck_assert_double_eq((double)zero[0], 1.0);
}
END_TEST

static void of_a_rectangle(void *context)
{
    Complex values[3];
    eigenvalues(values, matrix_view(2, 3, context));
}

static void of_not_a_number(void *context)
{
    Complex values[2];
    eigenvalues(values, matrix_view(2, 2, context));
}

START_TEST(rectangles_and_not_a_number_are_refused)
{
    float data[6] = {1, 2, NAN, 4, 5, 6};
    expect_death(of_a_rectangle, data, "(2 × 3)");
    expect_death(of_not_a_number, data, "NaN");
}
END_TEST

START_TEST(sizes_and_quotients_of_numbers_whose_squares_are_none)
{
    const double sizes[] = {1e-320, 1e-300, 1e-160, 1.0, 1e160, 1e300};
    for (int s = 0; s < 6; s++) {
        const Complex z = {3 * sizes[s], -4 * sizes[s]};
        ck_assert_double_eq_tol(complex_size(z) / sizes[s], 5.0, s ? 1e-14 : 1e-2);
        const Complex one = complex_over(z, z), none = complex_over((Complex){0, 0}, z);
        ck_assert_double_eq_tol(one.re, 1.0, 1e-14);
        ck_assert_double_eq_tol(one.im, 0.0, 1e-14);
        ck_assert(none.re == 0.0 && none.im == 0.0);
    }
    ck_assert(complex_size((Complex){0, -INFINITY}) == INFINITY && isnan(complex_size((Complex){NAN, 1})));
}
END_TEST

START_TEST(the_smallest_and_largest_matrices_have_eigenvalues)
{
    const float sizes[] = {1e-45f, 1e-38f, 1e38f};
    for (int s = 0; s < 3; s++) {
        float m[9] = {2, 1, 0, 1, 2, 0, 0, 0, 1}; // eigenvalues 3, 1, 1
        for (int i = 0; i < 9; i++) m[i] *= sizes[s];
        Complex values[3];
        eigenvalues(values, matrix_view(3, 3, m));
        for (int i = 0; i < 3; i++)
            ck_assert_msg(fabs(values[i].re / (double)sizes[s] - (i ? 1 : 3)) < 1e-6 &&
                              fabs(values[i].im) == 0,
                          "size %g: value %d is %g", (double)sizes[s], i, values[i].re);
    }
}
END_TEST

static void exponential_of(void *context)
{
    float *values = context;
    matrix_exponential(matrix_view(2, 2, values), matrix_view(2, 2, values), (double)values[4]);
}

START_TEST(exponentials_vanish_or_say_that_they_are_too_large)
{
    float sinking[] = {-3e38f, 0, 0, -3e38f, 1e3f};
    exponential_of(sinking);
    for (int i = 0; i < 4; i++) ck_assert_msg(sinking[i] == 0.0f, "element %d is %g", i, (double)sinking[i]);
    float rising[][5] = {{100, 0, 0, 0, 1}, {1000, 0, 0, 0, 1}, {1, 0, 0, 1, INFINITY}, {NAN, 0, 0, 1, 1}};
    for (int k = 0; k < 4; k++)
        expect_death(exponential_of, rising[k],
                     k < 2 ? "an element is larger than any float" : "is not finite");
}
END_TEST

START_TEST(numbers_of_very_different_sizes_divide_and_have_angles)
{
    const double powers[][2] = {
        {1e300, 1e100}, {1e300, 1e140}, {1e-300, 1e-140}, {1e-310, 1e-10}, {1e150, 1e-150}};
    for (int k = 0; k < 5; k++) {
        const double a = powers[k][0], b = powers[k][1];
        const Complex q = complex_over((Complex){3 * a, 4 * a}, (Complex){4 * b, 3 * b});
        ck_assert_msg(fabs(q.re / (a / b) - 0.96) < 1e-12 && fabs(q.im / (a / b) - 0.28) < 1e-12,
                      "%g / %g: got %g%+gi", a, b, q.re, q.im);
    }
    const double sizes[] = {5e-324, 1e-308, 1e308, 1.7e308};
    for (int s = 0; s < 4; s++)
        ck_assert_msg(fabs(complex_angle((Complex){-sizes[s], sizes[s]}) - 2.35619449019234493) < 1e-15,
                      "size %g: the angle is %g", sizes[s], complex_angle((Complex){-sizes[s], sizes[s]}));
}
END_TEST

// d⁻¹ m d has the eigenvalues of m, however different the elements of d are.
START_TEST(rows_and_columns_of_very_different_sizes)
{
    float two[] = {1, 1e30f, 1e-30f, 1}, lower[] = {1, 0, 0, 1e30f, 2, 0, 5, 1e30f, 3},
          upper[] = {1, 1e30f, 1e30f, 0, 2, 1, 0, 0, 3};
    const Complex to_three[] = {{1, 0}, {2, 0}, {3, 0}};
    expect_values(matrix_view(2, 2, two), (Complex[]){{2, 0}, {0, 0}}, 1e-7);
    expect_values(matrix_view(3, 3, lower), to_three, 1e-12);
    expect_values(matrix_view(3, 3, upper), to_three, 1e-12);
    const float m[] = {4, 1, 2, 3, 1, 3, 0, 1, 2, 0, 2, 1, 3, 1, 1, 1}, d[] = {1, 0x1p40f, 0x1p-30f, 0x1p20f};
    float far[16], near[16];
    for (int i = 0; i < 16; i++) near[i] = m[i], far[i] = m[i] / d[i / 4] * d[i % 4];
    Complex expected[4];
    eigenvalues(expected, matrix_view(4, 4, near));
    expect_values(matrix_view(4, 4, far), expected, 1e-12);
}
END_TEST

SUITE("eigen", matrices_computed_by_hand, the_roots_of_one,
      a_companion_matrix_gives_the_roots_of_its_polynomial, random_matrices_keep_their_traces,
      conjugates_stand_side_by_side, zeros_and_tiny_and_huge_numbers, angles_and_sizes_all_around,
      a_quotient_times_its_divisor_is_what_was_divided, the_spectral_radius_is_the_largest_size,
      sets_of_eigenvalues_are_compared_as_sets, the_exponential_equals_its_series,
      exponentials_known_by_heart_also_in_place, rectangles_and_not_a_number_are_refused,
      sizes_and_quotients_of_numbers_whose_squares_are_none,
      the_smallest_and_largest_matrices_have_eigenvalues, exponentials_vanish_or_say_that_they_are_too_large,
      numbers_of_very_different_sizes_divide_and_have_angles, rows_and_columns_of_very_different_sizes)
