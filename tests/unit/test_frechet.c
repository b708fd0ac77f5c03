// The Fréchet distance: known cases, invariances, few vectors in many directions, mistakes. tests/unit/test_reference_frechet.c has SciPy's
// numbers.
#include "suite.h"
#include "learning/frechet.h"
#include "base/rng.h"

#include <math.h>

static Matrix drawn(Arena *arena, int rows, int cols, uint64_t seed)
{
    Matrix m = matrix_new(arena, rows, cols);
    Rng rng = rng_new(seed, 0);
    fill_normal(m, &rng, 0.0f, 1.0f);
    return m;
}

START_TEST(means_and_covariances_by_hand)
{
    Arena *arena = arena_new();
    const Gaussian fit = gaussian_fit(arena, matrix_from(arena, 3, 2, ((float[]){1, 2, 3, 2, 5, 8})));
    ck_assert_double_eq(fit.mean[0], 3.0);
    ck_assert_double_eq(fit.mean[1], 4.0);
    ck_assert_double_eq(fit.covariance[0], 4.0);
    ck_assert_double_eq(fit.covariance[1], 6.0);
    ck_assert_double_eq(fit.covariance[2], 6.0);
    ck_assert_double_eq(fit.covariance[3], 12.0);
    arena_free(arena);
}
END_TEST

// In one dimension d² = (μ₁ − μ₂)² + (σ₁ − σ₂)².
START_TEST(one_dimension_has_a_formula)
{
    Arena *arena = arena_new();
    for (uint64_t s = 0; s < 5; s++) {
        Matrix a = drawn(arena, 50, 1, s), b = drawn(arena, 70, 1, 10 + s);
        for (int i = 0; i < 70; i++) b.data[i] = 1.5f * b.data[i] - 2.0f;
        const Gaussian of_a = gaussian_fit(arena, a), of_b = gaussian_fit(arena, b);
        const double means = of_a.mean[0] - of_b.mean[0],
                     deviations = sqrt(of_a.covariance[0]) - sqrt(of_b.covariance[0]);
        ck_assert_double_eq_tol(frechet_distance(of_a, of_b), means * means + deviations * deviations, 1e-9);
        ck_assert_double_eq_tol(frechet_distance(of_a, of_a), 0.0, 1e-9);
    }
    arena_free(arena);
}
END_TEST

// Of two sets that differ by a factor, Σ₂ = s² Σ₁: d² = ‖μ₁ − μ₂‖² + (1 − s)² tr Σ₁.
START_TEST(a_factor_and_a_shift_in_many_directions)
{
    Arena *arena = arena_new();
    Matrix a = drawn(arena, 400, 30, 1);
    for (int i = 0; i < a.rows; i++) // directions that depend on each other
        for (int j = 1; j < a.cols; j++) AT(a, i, j) += 0.7f * AT(a, i, j - 1);
    Matrix b = matrix_copy(arena, a);
    for (int i = 0; i < b.rows; i++)
        for (int j = 0; j < b.cols; j++) AT(b, i, j) = 3.0f * AT(a, i, j) + (j == 4 ? 2.0f : 0.0f);
    const Gaussian of_a = gaussian_fit(arena, a), of_b = gaussian_fit(arena, b);
    double expected = 0.0;
    for (int j = 0; j < a.cols; j++) {
        const double apart = of_a.mean[j] - of_b.mean[j];
        expected += apart * apart + 4.0 * of_a.covariance[j * a.cols + j];
    }
    ck_assert_double_eq_tol(frechet_distance(of_a, of_b), expected, 1e-6 * expected);
    ck_assert_double_eq_tol(frechet_distance(of_b, of_a), expected, 1e-6 * expected);
    arena_free(arena);
}
END_TEST

// Ten vectors span nine directions of forty: most eigenvalues are 0, and rounding must not make them roots of what is below.
START_TEST(fewer_vectors_than_directions)
{
    Arena *arena = arena_new();
    const Gaussian few = gaussian_fit(arena, drawn(arena, 10, 40, 2)),
                   same = gaussian_fit(arena, drawn(arena, 10, 40, 2)),
                   many = gaussian_fit(arena, drawn(arena, 4000, 40, 3));
    ck_assert_double_eq_tol(frechet_distance(few, same), 0.0, 1e-6);
    const double distance = frechet_distance(few, many);
    ck_assert(isfinite(distance) && distance > 20.0); // 31 directions without any variance, 1 each
    ck_assert_double_eq_tol(distance, frechet_distance(many, few), 1e-6);
    arena_free(arena);
}
END_TEST

START_TEST(correlations_alone_are_seen)
{
    Arena *arena = arena_new();
    Matrix a = drawn(arena, 2000, 2, 5), b = drawn(arena, 2000, 2, 6);
    for (int i = 0; i < 2000; i++) AT(b, i, 1) = 0.9f * AT(b, i, 0) + sqrtf(0.19f) * AT(b, i, 1);
    // Σ₁ = I, Σ₂ has the eigenvalues 1.9 and 0.1: d² = (√1.9 − 1)² + (√0.1 − 1)² = 0.6107
    ck_assert_double_eq_tol(frechet_distance(gaussian_fit(arena, a), gaussian_fit(arena, b)), 0.6107, 0.05);
    arena_free(arena);
}
END_TEST

static void one_vector(void *context) { gaussian_fit((Arena *)context, matrix_new((Arena *)context, 1, 3)); }
static void not_finite(void *context)
{
    Matrix m = matrix_new((Arena *)context, 3, 2);
    AT(m, 2, 1) = NAN;
    gaussian_fit((Arena *)context, m);
}
static void other_network(void *context)
{
    Arena *arena = context;
    frechet_distance(gaussian_fit(arena, drawn(arena, 5, 2, 0)), gaussian_fit(arena, drawn(arena, 5, 3, 0)));
}

START_TEST(mistakes_are_told)
{
    Arena *arena = arena_new();
    expect_death(one_vector, arena, "gaussian_fit: rows (1 × 3)");
    expect_death(not_finite, arena, "gaussian_fit: element (2, 1) is");
    expect_death(other_network, arena, "frechet_distance: 2 and 3 features");
    arena_free(arena);
}
END_TEST

SUITE("frechet", means_and_covariances_by_hand, one_dimension_has_a_formula,
      a_factor_and_a_shift_in_many_directions, fewer_vectors_than_directions, correlations_alone_are_seen,
      mistakes_are_told)
