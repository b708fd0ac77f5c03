// The exercises of chapter 7, autograd: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

static double *widened(Arena *arena, Matrix m)
{
    double *wide = doubles(arena, matrix_size(m));
    for (size_t i = 0; i < matrix_size(m); i++) wide[i] = (double)m.data[i];
    return wide;
}

// ---- TASK 7.1: one line of the tape -----------------------------------------------------------------------

static void expect_quotient(float a, float b)
{
    float values[] = {7, 7, 7}; // to be overwritten
    Matrix line = matrix_view(1, 3, values);
    double x = (double)a, y = (double)b, expected[] = {x / y, 1.0 / y, -x / (y * y)};
    GIVEN(OUT("line", line), NUMBER("a", x), NUMBER("b", y));
    tape_divide(line, a, b);
    static const char *const names[] = {"AT(line, 0, 0), a / b", "AT(line, 0, 1), the slope with a",
                                        "AT(line, 0, 2), the slope with b"};
    for (int i = 0; i < 3; i++) expect_number(names[i], values[i], expected[i], 1e-6 * fabs(expected[i]));
}

START_TEST(six_by_two) { expect_quotient(6.0f, 2.0f); }
END_TEST

START_TEST(quotients_of_either_sign_and_of_any_size)
{
    expect_quotient(0.0f, 4.0f);
    expect_quotient(3.0f, -0.5f);
    expect_quotient(-3.0f, 0.5f);
    expect_quotient(-1e-3f, -20.0f);
    Rng rng = rng_new(7, 1);
    for (int i = 0; i < 20; i++) expect_quotient(10.0f * rng_normal(&rng), 0.1f + rng_uniform(&rng));
}
END_TEST

// ---- TASK 7.2: backwards over the tape --------------------------------------------------------------------

START_TEST(a_product_and_its_square_computed_by_hand)
{
    // Lines 0 and 1 are 2 and 3, line 2 their product 6, line 3 its square 36: 36 changes by 12 with 6, by 36 with 2,
    // by 24 with 3.
    float tape_values[] = {-1, -1, 0, 0, -1, -1, 0, 0, 0, 1, 3, 2, 2, 2, 6, 6};
    float gradient_values[] = {7, 7, 7, 7}; // to be overwritten
    Matrix tape = matrix_view(4, 4, tape_values), gradients = matrix_view(4, 1, gradient_values);
    GIVEN(OUT("gradients", gradients), IN("tape", tape));
    tape_play_backwards(gradients, tape);
    expect_within("gradients", gradients, ((double[]){36, 24, 12, 1}), 1e-5);
}
END_TEST

START_TEST(what_is_used_twice_receives_twice)
{
    // Line 0 is x, line 1 is 2x, line 2 is 5x, line 3 their sum: 7x.
    float tape_values[] = {-1, -1, 0, 0, 0, -1, 2, 0, 0, -1, 5, 0, 1, 2, 1, 1},
          gradient_values[] = {7, 7, 7, 7};
    Matrix tape = matrix_view(4, 4, tape_values), gradients = matrix_view(4, 1, gradient_values);
    GIVEN(OUT("gradients", gradients), IN("tape", tape));
    tape_play_backwards(gradients, tape);
    expect_within("gradients", gradients, ((double[]){7, 1, 1, 1}), 1e-5);
}
END_TEST

START_TEST(a_line_that_leads_nowhere_receives_nothing)
{
    // Line 1 is made from line 0 and used by none.
    float tape_values[] = {-1, -1, 0, 0, 0, -1, 2, 0, 0, 0, 3, 4}, gradient_values[] = {7, 7, 7}, value = 7;
    Matrix tape = matrix_view(3, 4, tape_values), gradients = matrix_view(3, 1, gradient_values);
    GIVEN(OUT("gradients", gradients), IN("tape", tape));
    tape_play_backwards(gradients, tape);
    expect_within("gradients", gradients, ((double[]){7, 0, 1}), 1e-5);

    Matrix one_line = matrix_rows(tape, 0, 1), one_gradient = matrix_view(1, 1, &value);
    GIVEN(OUT("gradients", one_gradient), IN("tape", one_line));
    tape_play_backwards(one_gradient, one_line);
    expect_within("gradients", one_gradient, ((double[]){1}), 0.0);
}
END_TEST

// How the last line changes with line `from`: forwards this time, one line after the other.
static double change_with(Matrix tape, int from, double *change)
{
    for (int i = 0; i < tape.rows; i++) {
        change[i] = i == from ? 1.0 : 0.0;
        for (int k = 0; k < 2 && i != from; k++) {
            int input = (int)AT(tape, i, k);
            if (input >= 0) change[i] += change[input] * (double)AT(tape, i, 2 + k);
        }
    }
    return change[tape.rows - 1];
}

START_TEST(long_tapes_give_what_going_forwards_gives)
{
    static const int lengths[] = {5, 6, 13, 40};
    for (int t = 0; t < 4; t++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(7, 10 + (uint64_t)t);
        Matrix tape = matrix_new(arena, lengths[t], 4), gradients = rubbish(arena, lengths[t], 1);
        double *expected = doubles(arena, (size_t)lengths[t]), *change = doubles(arena, (size_t)lengths[t]);
        for (int i = 0; i < tape.rows; i++)
            for (int k = 0; k < 2; k++) { // each line from one of the four before it, so that long ways arise
                int back = 1 + (int)rng_below(&rng, 4);
                AT(tape, i, k) = i < 2 || back > i || (k == 1 && i % 3 == 0) ? -1.0f : (float)(i - back);
                AT(tape, i, 2 + k) = AT(tape, i, k) < 0.0f ? 0.0f : rng_normal(&rng);
            }
        for (int i = 0; i < tape.rows; i++) expected[i] = change_with(tape, i, change);
        GIVEN(OUT("gradients", gradients), IN("tape", tape));
        tape_play_backwards(gradients, tape);
        expect_close("gradients", gradients, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 7.3: what a product gives back ------------------------------------------------------------------

START_TEST(a_product_of_numbers_gives_back_the_other_factor)
{
    float a_value = 3, b_value = 5, d_y_value = 2, d_a_value = 0, d_b_value = 0;
    Matrix a = matrix_view(1, 1, &a_value), b = matrix_view(1, 1, &b_value),
           d_y = matrix_view(1, 1, &d_y_value);
    Matrix d_a = matrix_view(1, 1, &d_a_value), d_b = matrix_view(1, 1, &d_b_value);
    GIVEN(OUT("d_a", d_a), OUT("d_b", d_b), IN("d_y", d_y), IN("a", a), IN("b", b));
    product_gives_back(d_a, d_b, d_y, a, b);
    expect_within("d_a", d_a, ((double[]){10}), 1e-5);
    expect_within("d_b", d_b, ((double[]){6}), 1e-5);
}
END_TEST

START_TEST(a_product_of_small_matrices_computed_by_hand_adds_to_what_was_there)
{
    float a_values[] = {1, 2, 3, 4, 5, 6}, b_values[] = {1, -1, 2}, d_y_values[] = {1, 10};
    float d_a_values[] = {100, 100, 100, 100, 100, 100}, d_b_values[] = {1, 2, 3};
    Matrix a = matrix_view(2, 3, a_values), b = matrix_view(3, 1, b_values),
           d_y = matrix_view(2, 1, d_y_values);
    Matrix d_a = matrix_view(2, 3, d_a_values), d_b = matrix_view(3, 1, d_b_values);
    GIVEN(OUT("d_a", d_a), OUT("d_b", d_b), IN("d_y", d_y), IN("a", a), IN("b", b));
    product_gives_back(d_a, d_b, d_y, a, b);
    expect_within("d_a", d_a, ((double[]){101, 99, 102, 110, 90, 120}), 1e-4);
    expect_within("d_b", d_b, ((double[]){42, 54, 66}), 1e-4);
}
END_TEST

START_TEST(products_of_any_shape_add_to_what_was_there)
{
    static const int shapes[][3] = {{1, 1, 3}, {2, 3, 1},  {1, 4, 1},   {3, 2, 5},
                                    {7, 4, 4}, {5, 17, 9}, {33, 20, 12}};
    for (int s = 0; s < 7; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(7, 20 + (uint64_t)s);
        int m = shapes[s][0], k = shapes[s][1], n = shapes[s][2];
        Matrix a = random_normal(arena, &rng, m, k), b = random_normal(arena, &rng, k, n);
        Matrix d_y = random_normal(arena, &rng, m, n);
        Matrix d_a = random_normal(arena, &rng, m, k), d_b = random_normal(arena, &rng, k, n);
        double *right_a = widened(arena, d_a), *right_b = widened(arena, d_b);
        for (int i = 0; i < m; i++) // y_ij = Σ a_il b_lj: each term gives back to its two factors
            for (int j = 0; j < n; j++)
                for (int l = 0; l < k; l++) {
                    right_a[i * k + l] += (double)AT(d_y, i, j) * (double)AT(b, l, j);
                    right_b[l * n + j] += (double)AT(d_y, i, j) * (double)AT(a, i, l);
                }
        GIVEN(OUT("d_a", d_a), OUT("d_b", d_b), IN("d_y", d_y), IN("a", a), IN("b", b));
        product_gives_back(d_a, d_b, d_y, a, b);
        expect_within("d_a", d_a, right_a, 1e-4);
        expect_within("d_b", d_b, right_b, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 7.4: what softmax gives back --------------------------------------------------------------------

START_TEST(a_softmax_of_two_computed_by_hand)
{
    // Σ d_y y = 4 · ¾ + 0 · ¼ = 3, so ¾ (4 − 3) and ¼ (0 − 3).
    float d_x_values[] = {1, 1}, d_y_values[] = {4, 0}, y_values[] = {0.75f, 0.25f};
    Matrix d_x = matrix_view(1, 2, d_x_values), d_y = matrix_view(1, 2, d_y_values),
           y = matrix_view(1, 2, y_values);
    GIVEN(OUT("d_x", d_x), IN("d_y", d_y), IN("y", y));
    softmax_gives_back(d_x, d_y, y);
    expect_within("d_x", d_x, ((double[]){1.75, 0.25}), 1e-6);
}
END_TEST

START_TEST(what_arrives_equally_everywhere_changes_nothing)
{
    float d_x_values[] = {0, 0, 0}, d_y_values[] = {2, 2, 2}, y_values[] = {0.5f, 0.25f, 0.25f};
    Matrix d_x = matrix_view(1, 3, d_x_values), d_y = matrix_view(1, 3, d_y_values),
           y = matrix_view(1, 3, y_values);
    GIVEN(OUT("d_x", d_x), IN("d_y", d_y), IN("y", y));
    softmax_gives_back(d_x, d_y, y);
    expect_within("d_x", d_x, ((double[]){0, 0, 0}), 1e-6);
}
END_TEST

// y: each row the softmax of random scores.
static Matrix random_probabilities(Arena *arena, Rng *rng, int n, int k)
{
    Matrix y = random_normal(arena, rng, n, k);
    for (int i = 0; i < n; i++) {
        double total = 0.0;
        for (int j = 0; j < k; j++) total += exp((double)AT(y, i, j));
        for (int j = 0; j < k; j++) AT(y, i, j) = (float)(exp((double)AT(y, i, j)) / total);
    }
    return y;
}

START_TEST(softmax_gives_back_right_for_any_size_and_adds_to_what_was_there)
{
    static const int shapes[][2] = {{1, 1}, {1, 3}, {2, 2}, {4, 3}, {3, 7}, {19, 10}, {5, MAX_UNITS}};
    for (int s = 0; s < 7; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(7, 30 + (uint64_t)s);
        int n = shapes[s][0], c = shapes[s][1];
        Matrix y = random_probabilities(arena, &rng, n, c), d_y = random_normal(arena, &rng, n, c);
        Matrix d_x = random_normal(arena, &rng, n, c);
        double *right = widened(arena, d_x);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < c; k++)
                for (int j = 0; j < c; j++)
                    right[i * c + k] += (double)AT(d_y, i, j) * (double)AT(y, i, j) *
                                        ((j == k ? 1.0 : 0.0) - (double)AT(y, i, k));
        GIVEN(OUT("d_x", d_x), IN("d_y", d_y), IN("y", y));
        softmax_gives_back(d_x, d_y, y);
        expect_within("d_x", d_x, right, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 7.5: a chain without a tape ---------------------------------------------------------------------

// v (1 × n) = u (1 × m) · w, cut off below 0; closest receives the value that is nearest to the kink.
static void bent_product(double *v, const double *u, Matrix w, double *closest)
{
    for (int j = 0; j < w.cols; j++) {
        double a = 0.0;
        for (int i = 0; i < w.rows; i++) a += u[i] * (double)AT(w, i, j);
        *closest = fmin(*closest, fabs(a));
        v[j] = fmax(0.0, a);
    }
}

// Returns f, and its gradient in d_x.
static double true_chain(double *d_x, Matrix x, Matrix w1, Matrix w2, double *closest)
{
    double u[MAX_UNITS], h[MAX_UNITS], z[MAX_UNITS], f = 0.0;
    *closest = INFINITY;
    for (int i = 0; i < x.cols; i++) u[i] = (double)x.data[i];
    bent_product(h, u, w1, closest);
    bent_product(z, h, w2, closest);
    for (int k = 0; k < w2.cols; k++) f += z[k] * z[k];
    for (int i = 0; i < x.cols; i++) {
        d_x[i] = 0.0;
        for (int j = 0; j < w1.cols; j++)
            for (int k = 0; k < w2.cols; k++)
                if (h[j] > 0.0 && z[k] > 0.0)
                    d_x[i] += 2.0 * z[k] * (double)AT(w2, j, k) * (double)AT(w1, i, j);
    }
    return f;
}

START_TEST(a_chain_computed_by_hand)
{
    // x·w1 = {3, −1}, h = {3, 0}; h·w2 = {6, −3}, z = {6, 0}; f = 36, d_z = {12, 0}, d_h = {24, ·}, d_x = {24, 48}.
    float x_values[] = {1, 1}, w1_values[] = {1, -2, 2, 1}, w2_values[] = {2, -1, 4, 4}, d_values[] = {7, 7};
    Matrix x = matrix_view(1, 2, x_values), w1 = matrix_view(2, 2, w1_values),
           w2 = matrix_view(2, 2, w2_values);
    Matrix d_x = matrix_view(1, 2, d_values);
    GIVEN(OUT("d_x", d_x), IN("x", x), IN("w1", w1), IN("w2", w2));
    float f = chain_gradient(d_x, x, w1, w2);
    expect_number("f", f, 36.0, 1e-4);
    expect_within("d_x", d_x, ((double[]){24, 48}), 1e-3);
}
END_TEST

START_TEST(a_silent_chain_has_no_gradient)
{
    float x_values[] = {1, 2}, w1_values[] = {-1, -1, -1, -1, -1, -1}, w2_values[] = {1, 2, 3},
          d_values[] = {7, 7};
    Matrix x = matrix_view(1, 2, x_values), w1 = matrix_view(2, 3, w1_values),
           w2 = matrix_view(3, 1, w2_values);
    Matrix d_x = matrix_view(1, 2, d_values);
    GIVEN(OUT("d_x", d_x), IN("x", x), IN("w1", w1), IN("w2", w2));
    float f = chain_gradient(d_x, x, w1, w2);
    expect_number("f", f, 0.0, 0.0);
    expect_within("d_x", d_x, ((double[]){0, 0}), 0.0);
}
END_TEST

START_TEST(chains_of_any_size_are_right_to_four_digits)
{
    static const int shapes[][3] = {{1, 1, 1},  {3, 2, 1},           {1, 5, 3},        {2, 3, 4},
                                    {9, 7, 11}, {40, 31, MAX_UNITS}, {5, MAX_UNITS, 3}};
    for (int s = 0; s < 7; s++) {
        Arena *arena = arena_new();
        double expected[MAX_UNITS], f, closest;
        Matrix x, w1, w2;
        uint64_t draw = 100 * (uint64_t)s;
        do { // at a kink rounding decides which side
            Rng rng = rng_new(75, draw++);
            x = random_normal(arena, &rng, 1, shapes[s][0]);
            w1 = random_normal(arena, &rng, shapes[s][0], shapes[s][1]);
            w2 = random_normal(arena, &rng, shapes[s][1], shapes[s][2]);
            f = true_chain(expected, x, w1, w2, &closest);
        } while (closest < 1e-3 || f == 0.0);
        Matrix d_x = rubbish(arena, 1, x.cols);
        GIVEN(OUT("d_x", d_x), IN("x", x), IN("w1", w1), IN("w2", w2));
        float got = chain_gradient(d_x, x, w1, w2);
        expect_number("f", got, f, 1e-4 * f);
        expect_close("d_x", d_x, expected, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("07-autograd",
         {"7.1", 5, six_by_two},
         {"7.1", 5, quotients_of_either_sign_and_of_any_size},
         {"7.2", 5, a_product_and_its_square_computed_by_hand},
         {"7.2", 5, what_is_used_twice_receives_twice},
         {"7.2", 5, a_line_that_leads_nowhere_receives_nothing},
         {"7.2", 5, long_tapes_give_what_going_forwards_gives},
         {"7.3", 5, a_product_of_numbers_gives_back_the_other_factor},
         {"7.3", 5, a_product_of_small_matrices_computed_by_hand_adds_to_what_was_there},
         {"7.3", 10, products_of_any_shape_add_to_what_was_there},
         {"7.4", 5, a_softmax_of_two_computed_by_hand},
         {"7.4", 5, what_arrives_equally_everywhere_changes_nothing},
         {"7.4", 15, softmax_gives_back_right_for_any_size_and_adds_to_what_was_there},
         {"7.5", 5, a_chain_computed_by_hand},
         {"7.5", 5, a_silent_chain_has_no_gradient},
         {"7.5", 15, chains_of_any_size_are_right_to_four_digits})
