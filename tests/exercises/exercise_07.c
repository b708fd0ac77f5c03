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
    static const int shapes[][2] = {{1, 1}, {1, 3}, {2, 2}, {4, 3}, {3, 7}, {19, 10}, {5, 64}};
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

// ---- TASK 7.5: a product with itself ----------------------------------------------------------------------

START_TEST(one_row_has_its_square_and_gives_back_twice_itself)
{
    float x_values[] = {1, 2}, d_y_value = 3, y_value = 7, d_x_values[] = {0, 0}; // y is to be overwritten
    Matrix x = matrix_view(1, 2, x_values), d_y = matrix_view(1, 1, &d_y_value),
           y = matrix_view(1, 1, &y_value), d_x = matrix_view(1, 2, d_x_values);
    GIVEN(OUT("y", y), OUT("d_x", d_x), IN("d_y", d_y), IN("x", x));
    product_with_itself(y, d_x, d_y, x);
    expect_within("y", y, ((double[]){5}), 1e-5);
    expect_within("d_x", d_x, ((double[]){6, 12}), 1e-5);
}
END_TEST

START_TEST(what_arrives_at_one_element_goes_to_both_of_its_rows)
{
    // y is {{1, 2}, {2, 4}}. At the element 1 · 2 above the diagonal arrives 1: each factor receives the other.
    float x_values[] = {1, 2}, d_y_values[] = {0, 1, 0, 0}, y_values[] = {7, 7, 7, 7},
          d_x_values[] = {10, 10};
    Matrix x = matrix_view(2, 1, x_values), d_y = matrix_view(2, 2, d_y_values),
           y = matrix_view(2, 2, y_values), d_x = matrix_view(2, 1, d_x_values);
    GIVEN(OUT("y", y), OUT("d_x", d_x), IN("d_y", d_y), IN("x", x));
    product_with_itself(y, d_x, d_y, x);
    expect_within("y", y, ((double[]){1, 2, 2, 4}), 1e-5);
    expect_within("d_x", d_x, ((double[]){12, 11}), 1e-5);
}
END_TEST

START_TEST(products_with_themselves_of_any_size_are_right_to_four_digits)
{
    static const int shapes[][2] = {{1, 1}, {1, 5}, {4, 1}, {2, 3}, {5, 4}, {9, 17}, {40, 23}};
    for (int s = 0; s < 7; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(75, (uint64_t)s);
        int n = shapes[s][0], d = shapes[s][1];
        Matrix x = random_normal(arena, &rng, n, d), d_y = random_normal(arena, &rng, n, n);
        Matrix d_x = random_normal(arena, &rng, n, d), y = rubbish(arena, n, n);
        double *product = doubles(arena, (size_t)n * (size_t)n), *right = widened(arena, d_x);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                product[i * n + j] = 0.0;
                for (int l = 0; l < d; l++) { // y_ij = Σ x_il x_jl: each term gives back to its two factors
                    product[i * n + j] += (double)AT(x, i, l) * (double)AT(x, j, l);
                    right[i * d + l] += (double)AT(d_y, i, j) * (double)AT(x, j, l);
                    right[j * d + l] += (double)AT(d_y, i, j) * (double)AT(x, i, l);
                }
            }
        GIVEN(OUT("y", y), OUT("d_x", d_x), IN("d_y", d_y), IN("x", x));
        product_with_itself(y, d_x, d_y, x);
        expect_close("y", y, product, 1e-4);
        expect_close("d_x", d_x, right, 1e-4);
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
         {"7.5", 5, one_row_has_its_square_and_gives_back_twice_itself},
         {"7.5", 5, what_arrives_at_one_element_goes_to_both_of_its_rows},
         {"7.5", 15, products_with_themselves_of_any_size_are_right_to_four_digits})
