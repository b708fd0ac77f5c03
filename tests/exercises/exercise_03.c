// The exercises of chapter 3, trees and margins: what each task is tested for, and its points. What the answers are compared
// with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 3.1: the least entropy ------------------------------------------------------------------------------

static double entropy(const double *counts, int classes)
{
    double rows = 0, total = 0;
    for (int k = 0; k < classes; k++) rows += counts[k];
    for (int k = 0; k < classes; k++)
        if (counts[k] > 0) total -= counts[k] / rows * log(counts[k] / rows);
    return total;
}

// Every value is tried as a threshold, and all rows are counted for it.
static double least_by_counting(Matrix values, Matrix labels, int classes)
{
    double least = INFINITY;
    const int n = values.rows;
    for (int t = 0; t < n; t++) {
        double counts[2][MAX_CLASSES] = {{0}}, left = 0;
        for (int i = 0; i < n; i++) {
            const int side = values.data[i] > values.data[t];
            counts[side][(int)labels.data[i]]++;
            left += !side;
        }
        if (t < n - 1 && left == n) continue; // the last value: nobody is on the right
        const double mixed = left * entropy(counts[0], classes) + (n - left) * entropy(counts[1], classes);
        least = fmin(least, mixed / n);
    }
    return least;
}

static void expect_entropy(Matrix values, Matrix labels, int classes)
{
    GIVEN(IN("values", values), IN("labels", labels), NUMBER("classes", (double)classes));
    const float got = least_entropy(values, labels, classes);
    expect_number("entropy", got, least_by_counting(values, labels, classes), 1e-4);
    EXPECT_UNCHANGED();
}

START_TEST(four_rows_computed_by_hand)
{
    float v[] = {1, 2, 3, 4}, l[] = {0, 0, 1, 0};
    Matrix values = matrix_view(4, 1, v), labels = matrix_view(4, 1, l);
    GIVEN(IN("values", values), IN("labels", labels), NUMBER("classes", 2.0));
    expect_number("entropy", least_entropy(values, labels, 2), log(2) / 2, 1e-5); // between 2 and 3
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(equal_values_cannot_be_parted)
{
    float v[] = {5, 5, 5, 5}, l[] = {0, 0, 1, 1}, w[] = {1, 2, 2, 3};
    Matrix labels = matrix_view(4, 1, l);
    expect_entropy(matrix_view(4, 1, v), labels, 2);
    expect_entropy(matrix_view(4, 1, w), labels, 2);
}
END_TEST

START_TEST(many_rows_of_several_classes)
{
    const int sizes[][2] = {{2, 2}, {9, 3}, {60, 5}, {200, MAX_CLASSES}};
    for (int s = 0; s < 4; s++) {
        Arena *arena = arena_new();
        const int n = sizes[s][0], classes = sizes[s][1];
        Rng rng = rng_new((uint64_t)s, 3);
        Matrix values = matrix_new(arena, n, 1), labels = matrix_new(arena, n, 1);
        float value = -3;
        for (int i = 0; i < n; i++) {
            value += (float)rng_below(&rng, 3); // some are equal
            values.data[i] = value;
            labels.data[i] = (float)(i < n / 3 ? 0u : rng_below(&rng, (uint32_t)classes));
        }
        expect_entropy(values, labels, classes);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 3.2: the price of a branch --------------------------------------------------------------------------

static double impurity(const double *counts, int classes, double total)
{
    double rows = 0, squares = 0;
    for (int k = 0; k < classes; k++) rows += counts[k];
    if (rows == 0) return 0;
    for (int k = 0; k < classes; k++) squares += counts[k] / rows * (counts[k] / rows);
    return rows / total * (1 - squares);
}

static void expect_price(Matrix counts, float total)
{
    double root[MAX_CLASSES] = {0}, leaves = 0;
    for (int l = 0; l < counts.rows; l++) {
        double leaf[MAX_CLASSES];
        for (int k = 0; k < counts.cols; k++) {
            leaf[k] = (double)AT(counts, l, k);
            root[k] += leaf[k];
        }
        leaves += impurity(leaf, counts.cols, (double)total);
    }
    const double right = (impurity(root, counts.cols, (double)total) - leaves) / (counts.rows - 1);
    GIVEN(IN("counts", counts), NUMBER("total", (double)total));
    expect_number("price", price_of_branch(counts, total), right, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(two_leaves_computed_by_hand)
{
    float c[] = {30, 0, 10, 10};
    Matrix counts = matrix_view(2, 2, c);
    GIVEN(IN("counts", counts), NUMBER("total", 100.0));
    expect_number("price", price_of_branch(counts, 100), 0.5 * 0.32 - 0.2 * 0.5, 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(an_empty_leaf_costs_nothing)
{
    float c[] = {4, 2, 0, 0, 0, 6};
    expect_price(matrix_view(3, 2, c), 20);
}
END_TEST

START_TEST(branches_of_any_size)
{
    const int sizes[][2] = {{2, 3}, {7, 2}, {40, MAX_CLASSES}};
    for (int s = 0; s < 3; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new((uint64_t)s, 4);
        Matrix counts = matrix_new(arena, sizes[s][0], sizes[s][1]);
        float rows = 0;
        for (size_t i = 0; i < matrix_size(counts); i++) rows += counts.data[i] = (float)rng_below(&rng, 9);
        expect_price(counts, rows);
        expect_price(counts, 3 * rows);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 3.3: the out-of-bag error ---------------------------------------------------------------------------

START_TEST(three_trees_computed_by_hand)
{
    // rows 0 and 1 are called wrongly by those that may vote, row 2 rightly, and nobody may vote on row 3
    float a[] = {1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0}, b[] = {0, 2, 0, 1, 1, 0, 0, 1, 2, 0, 1, 3},
          l[] = {0, 0, 1, 1};
    Matrix answers = matrix_view(3, 4, a), bags = matrix_view(3, 4, b), labels = matrix_view(4, 1, l);
    GIVEN(IN("answers", answers), IN("bags", bags), IN("labels", labels), NUMBER("classes", 2.0));
    expect_number("error", out_of_bag_error(answers, bags, labels, 2), 2.0 / 3, 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(among_equals_the_lowest_class_wins)
{
    float a[] = {2, 1, 1, 2}, b[] = {0, 0, 0, 0}, l[] = {1, 1};
    Matrix answers = matrix_view(2, 2, a), bags = matrix_view(2, 2, b), labels = matrix_view(2, 1, l);
    GIVEN(IN("answers", answers), IN("bags", bags), IN("labels", labels), NUMBER("classes", 3.0));
    expect_number("error", out_of_bag_error(answers, bags, labels, 3), 0, 1e-6);
}
END_TEST

START_TEST(where_nobody_may_vote_there_is_no_error)
{
    float a[] = {0, 1}, b[] = {1, 2}, l[] = {1, 1};
    Matrix answers = matrix_view(1, 2, a), bags = matrix_view(1, 2, b), labels = matrix_view(2, 1, l);
    GIVEN(IN("answers", answers), IN("bags", bags), IN("labels", labels), NUMBER("classes", 2.0));
    const float error = out_of_bag_error(answers, bags, labels, 2);
    ck_assert_msg(isnan(error), "error: got %g, expected NAN; with %s", (double)error, given.text);
}
END_TEST

START_TEST(a_forest_of_forty_trees)
{
    enum { TREES = 40, ROWS = 50, CLASSES = MAX_CLASSES };
    Arena *arena = arena_new();
    Rng rng = rng_new(1, 5);
    Matrix answers = matrix_new(arena, TREES, ROWS), bags = matrix_new(arena, TREES, ROWS),
           labels = matrix_new(arena, ROWS, 1);
    int wrong = 0, judged = 0;
    for (int i = 0; i < ROWS; i++) {
        int votes[CLASSES] = {0}, most = 0, voters = 0;
        labels.data[i] = (float)rng_below(&rng, CLASSES);
        for (int t = 0; t < TREES; t++) {
            const bool knows = rng_uniform(&rng) < 0.4f;
            AT(answers, t, i) = knows ? labels.data[i] : (float)rng_below(&rng, CLASSES);
            AT(bags, t, i) = i % 10 == 0 ? 1.0f : (float)rng_below(&rng, 3);
            if (AT(bags, t, i) > 0) continue;
            votes[(int)AT(answers, t, i)]++;
            voters++;
        }
        for (int k = 1; k < CLASSES; k++) most = votes[k] > votes[most] ? k : most;
        judged += voters > 0;
        wrong += voters > 0 && most != (int)labels.data[i];
    }
    GIVEN(IN("answers", answers), IN("bags", bags), IN("labels", labels), NUMBER("classes", (double)CLASSES));
    expect_number("error", out_of_bag_error(answers, bags, labels, CLASSES), (double)wrong / judged, 1e-6);
    EXPECT_UNCHANGED();
    arena_free(arena);
}
END_TEST

// ---- TASK 3.4: the squared hinge ------------------------------------------------------------------------------

static double hinge_by_hand(double *gradient, Matrix w, Matrix x, Matrix y, double c)
{
    double total = 0;
    for (int j = 0; j < w.rows; j++) {
        gradient[j] = (double)w.data[j];
        total += gradient[j] * gradient[j] / 2;
    }
    for (int i = 0; i < x.rows; i++) {
        double m = 1;
        for (int j = 0; j < x.cols; j++) m -= (double)y.data[i] * (double)AT(x, i, j) * (double)w.data[j];
        if (m <= 0) continue;
        total += c * m * m;
        for (int j = 0; j < x.cols; j++) gradient[j] -= 2 * c * m * (double)y.data[i] * (double)AT(x, i, j);
    }
    return total;
}

static void expect_hinge(Matrix gradient, Matrix w, Matrix x, Matrix y, float c)
{
    double right[64];
    const double total = hinge_by_hand(right, w, x, y, (double)c);
    GIVEN(OUT("gradient", gradient), IN("w", w), IN("x", x), IN("y", y), NUMBER("c", (double)c));
    expect_number("P", squared_hinge(gradient, w, x, y, c), total, 1e-4 * total);
    expect_close("gradient", gradient, right, 1e-4);
    EXPECT_UNCHANGED();
}

START_TEST(three_rows_computed_by_hand)
{
    // margins 2 (free), 1/2 (inside the margin) and −1 (wrong side)
    float g[] = {9, 9}, v[] = {1, 0.5f}, r[] = {2, 0, 0, -1, 0, 2}, s[] = {1, -1, -1};
    Matrix gradient = matrix_view(2, 1, g), w = matrix_view(2, 1, v), x = matrix_view(3, 2, r),
           y = matrix_view(3, 1, s);
    GIVEN(OUT("gradient", gradient), IN("w", w), IN("x", x), IN("y", y), NUMBER("c", 2.0));
    expect_number("P", squared_hinge(gradient, w, x, y, 2), 0.625 + 2 * (0.25 + 4), 1e-4);
    expect_within("gradient", gradient, ((double[]){1, 0.5 - 2 + 16}), 1e-4);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(rows_beyond_the_margin_are_free)
{
    float g[] = {9}, v[] = {2}, r[] = {1, -3, 0.5f}, s[] = {1, -1, 1};
    expect_hinge(matrix_view(1, 1, g), matrix_view(1, 1, v), matrix_view(3, 1, r), matrix_view(3, 1, s), 5);
}
END_TEST

START_TEST(many_rows_and_columns)
{
    const int sizes[][2] = {{1, 1}, {20, 7}, {65, 33}};
    for (int s = 0; s < 3; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new((uint64_t)s, 6);
        const int n = sizes[s][0], d = sizes[s][1];
        Matrix x = matrix_new(arena, n, d), y = matrix_new(arena, n, 1), w = matrix_new(arena, d, 1),
               gradient = matrix_new(arena, d, 1);
        fill_normal(x, &rng, 0, 1);
        fill_normal(w, &rng, 0, 0.5f);
        fill(gradient, 7);
        for (int i = 0; i < n; i++) y.data[i] = rng_below(&rng, 2) ? 1 : -1;
        expect_hinge(gradient, w, x, y, 0.7f);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 3.5: one step of SMO --------------------------------------------------------------------------------

static double dual(Matrix alpha, Matrix y, Matrix k)
{
    double total = 0;
    for (int i = 0; i < alpha.rows; i++) {
        total += (double)alpha.data[i];
        for (int j = 0; j < alpha.rows; j++)
            total -=
                0.5 * (double)(alpha.data[i] * alpha.data[j] * y.data[i] * y.data[j]) * (double)AT(k, i, j);
    }
    return total;
}

static void expect_step(Matrix alpha, Matrix y, Matrix k, int i, int j, float c, double delta)
{
    double right[64];
    for (int m = 0; m < alpha.rows; m++) right[m] = (double)alpha.data[m];
    right[i] += (double)y.data[i] * delta;
    right[j] -= (double)y.data[j] * delta;
    GIVEN(OUT("alpha", alpha), IN("y", y), IN("k", k), NUMBER("i", (double)i), NUMBER("j", (double)j),
          NUMBER("c", (double)c));
    expect_number("delta", smo_step(alpha, y, k, i, j, c), delta, 1e-4);
    expect_within("alpha", alpha, right, 1e-4);
    EXPECT_UNCHANGED();
}

START_TEST(the_first_step_of_two_rows)
{
    float a[] = {0, 0}, s[] = {1, -1}, v[] = {2, 1, 1, 3};
    Matrix alpha = matrix_view(2, 1, a), y = matrix_view(2, 1, s), k = matrix_view(2, 2, v);
    expect_step(alpha, y, k, 0, 1, 1, 2.0 / 3);
    a[0] = a[1] = 0;
    expect_step(alpha, y, k, 0, 1, 0.5f, 0.5); // a wall
}
END_TEST

START_TEST(both_alphas_have_walls)
{
    float a[] = {0.9f, 0.5f, 0.2f, 0.6f}, s[] = {1, 1, -1, -1}, v[16] = {0};
    for (int i = 0; i < 4; i++) v[5 * i] = 0.01f; // nearly no curvature: every step ends at a wall
    Matrix alpha = matrix_view(4, 1, a), y = matrix_view(4, 1, s), k = matrix_view(4, 4, v);
    expect_step(alpha, y, k, 0, 2, 1, 0.1); // α₀ comes to c
    expect_step(alpha, y, k, 1, 3, 1, 0.4); // α₃ comes to c
    expect_step(alpha, y, k, 1, 2, 1, 0.1); // α₁ comes to c
}
END_TEST

START_TEST(no_step_where_the_dual_would_fall)
{
    float a[] = {0.5f, 0.5f}, s[] = {1, -1}, v[] = {8, 0, 0, 8};
    expect_step(matrix_view(2, 1, a), matrix_view(2, 1, s), matrix_view(2, 2, v), 0, 1, 1, 0);
}
END_TEST

START_TEST(every_step_raises_the_dual_and_keeps_the_sum)
{
    enum { N = 12 };
    Arena *arena = arena_new();
    Rng rng = rng_new(1, 7);
    Matrix x = matrix_new(arena, N, 3), k = matrix_new(arena, N, N), y = matrix_new(arena, N, 1),
           alpha = matrix_new(arena, N, 1);
    fill_normal(x, &rng, 0, 1);
    matmul_nt(k, x, x);
    for (int i = 0; i < N; i++) y.data[i] = i % 2 ? 1 : -1;
    double before = 0;
    for (int step = 0; step < 40; step++) {
        const int i = (int)rng_below(&rng, N), j = (i + 1 + (int)rng_below(&rng, N - 1)) % N;
        GIVEN(OUT("alpha", alpha), IN("y", y), IN("k", k), NUMBER("i", (double)i), NUMBER("j", (double)j),
              NUMBER("c", 0.8));
        const float delta = smo_step(alpha, y, k, i, j, 0.8f);
        double sum = 0;
        bool inside = true;
        for (int m = 0; m < N; m++) {
            sum += (double)(alpha.data[m] * y.data[m]);
            inside = inside && alpha.data[m] >= -1e-6f && alpha.data[m] <= 0.8f + 1e-6f;
        }
        const double after = dual(alpha, y, k);
        ck_assert_msg(inside, "alpha: got a value outside of 0 … c; with %s", given.text);
        ck_assert_msg(fabs(sum) <= 1e-4, "the sum of alpha y: got %g, expected 0; with %s", sum, given.text);
        ck_assert_msg(after >= before - 1e-4, "D: got %g, expected at least %g; with %s", after, before,
                      given.text);
        ck_assert_msg(delta >= 0, "delta: got %g, expected at least 0; with %s", (double)delta, given.text);
        before = after;
    }
    arena_free(arena);
}
END_TEST

// clang-format off
EXERCISE("03-trees-and-margins",
         {"3.1", 5, four_rows_computed_by_hand},
         {"3.1", 5, equal_values_cannot_be_parted},
         {"3.1", 10, many_rows_of_several_classes},
         {"3.2", 5, two_leaves_computed_by_hand},
         {"3.2", 5, an_empty_leaf_costs_nothing},
         {"3.2", 10, branches_of_any_size},
         {"3.3", 5, three_trees_computed_by_hand},
         {"3.3", 5, among_equals_the_lowest_class_wins},
         {"3.3", 5, where_nobody_may_vote_there_is_no_error},
         {"3.3", 5, a_forest_of_forty_trees},
         {"3.4", 5, three_rows_computed_by_hand},
         {"3.4", 5, rows_beyond_the_margin_are_free},
         {"3.4", 10, many_rows_and_columns},
         {"3.5", 5, the_first_step_of_two_rows},
         {"3.5", 5, both_alphas_have_walls},
         {"3.5", 5, no_step_where_the_dual_would_fall},
         {"3.5", 5, every_step_raises_the_dual_and_keeps_the_sum})
