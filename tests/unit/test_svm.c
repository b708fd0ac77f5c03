// test_svm.c: support vector machines.
#include "models/svm.h"
#include "base/parallel.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>

// ---- The kernel and the dual by their definitions, in double precision ---------------------------------------------------

static double kernel(Matrix a, int i, Matrix b, int j, float gamma)
{
    double product = 0.0, distance = 0.0;
    for (int k = 0; k < a.cols; k++) {
        const double u = (double)AT(a, i, k), v = (double)AT(b, j, k);
        product += u * v;
        distance += (u - v) * (u - v);
    }
    return gamma == 0.0f ? product : exp(-(double)gamma * distance);
}

// y_i − Σ_j a_j K_ij
static double error_of(Matrix x, const float *y, const double *a, int i, float gamma)
{
    double error = (double)y[i];
    for (int j = 0; j < x.rows; j++)
        if (a[j] != 0.0) error -= a[j] * kernel(x, i, x, j, gamma);
    return error;
}

static double dual(Matrix x, const float *y, const double *a, float gamma)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) total += 0.5 * a[i] * ((double)y[i] + error_of(x, y, a, i, gamma));
    return total;
}

typedef struct {
    Matrix x;
    float *y;
} Examples;

// Two clouds that overlap.
static Examples examples(Arena *arena, Rng *rng, int rows, int cols)
{
    Examples e = {matrix_new(arena, rows, cols), arena_alloc(arena, (size_t)rows, sizeof(float))};
    fill_normal(e.x, rng, 0.0f, 1.0f);
    for (int i = 0; i < rows; i++) {
        e.y[i] = i % 3 ? 1.0f : -1.0f;
        AT(e.x, i, 0) += e.y[i];
    }
    return e;
}

static double *all_weights(Arena *arena, const Svm *svm, int rows)
{
    double *a = arena_zeros(arena, (size_t)rows, sizeof *a);
    for (int s = 0; s < svm->vectors.rows; s++) a[svm->rows[s]] = (double)svm->weights.data[s];
    return a;
}

// ---- Optimality ---------------------------------------------------------------------------------------------------------------

START_TEST(two_points_by_hand)
{
    float data[] = {0, 7, 2, 7}, y[] = {-1, 1}, scores[2];
    Arena *arena = arena_new();
    Matrix x = matrix_view(2, 2, data);
    Svm svm = svm_fit(arena, x, y, (SvmOptions){.c = 10});
    ck_assert_int_eq(svm.vectors.rows, 2); // the widest street: w = (1, 0), a = ±1/2
    ck_assert_float_eq(svm.weights.data[0], -0.5f);
    ck_assert_float_eq(svm.weights.data[1], 0.5f);
    ck_assert_float_eq(svm.bias, -1.0f);
    ck_assert_double_eq(svm.dual, 0.5);
    svm_decisions(matrix_view(2, 1, scores), &svm, x);
    ck_assert(scores[0] == -1.0f && scores[1] == 1.0f);
    svm = svm_fit(arena, x, y, (SvmOptions){.c = 0.25f});
    ck_assert(svm.at_bound == 2 && svm.weights.data[1] == 0.25f);
    ck_assert_double_eq(svm.dual, 0.5 - 0.125);
    arena_free(arena);
}
END_TEST

// Karush, Kuhn and Tucker: with errors computed anew from the definition.
START_TEST(no_two_errors_disagree_by_more_than_the_tolerance)
{
    const float gammas[] = {0.0f, 0.05f, 1.0f}, cs[] = {0.01f, 1.0f, 30.0f}, tolerances[] = {1e-3f, 1e-5f};
    Rng rng = rng_new(1, 1);
    for (int trial = 0; trial < 18; trial++) {
        Arena *arena = arena_new();
        Examples e = examples(arena, &rng, 50 + 7 * trial, 1 + trial % 5);
        const float gamma = gammas[trial % 3];
        const SvmOptions o = {.c = cs[trial / 3 % 3], .gamma = gamma, .tolerance = tolerances[trial / 9]};
        Svm svm = svm_fit(arena, e.x, e.y, o);
        const double *a = all_weights(arena, &svm, e.x.rows), c = (double)o.c;
        double top = -HUGE_VAL, bottom = HUGE_VAL, total = 0.0;
        for (int i = 0; i < e.x.rows; i++) {
            const double error = error_of(e.x, e.y, a, i, gamma), low = e.y[i] > 0 ? 0.0 : -c;
            ck_assert_msg(a[i] >= low && a[i] <= low + c, "row %d: weight %g", i, a[i]);
            if (a[i] < low + c) top = fmax(top, error);
            if (a[i] > low) bottom = fmin(bottom, error);
            total += a[i];
        }
        // Floats hold the kernel, of size ‖x‖² ≤ 40 when it is linear, and the weights.
        const double room = (double)o.tolerance + 1e-7 * c * e.x.rows * (gamma == 0.0f ? 40.0 : 1.0);
        ck_assert_msg(top - bottom <= room, "trial %d: errors from %g to %g, tolerance %g", trial, bottom,
                      top, (double)o.tolerance);
        ck_assert_msg(fabs(total) <= 1e-6 * c * e.x.rows, "trial %d: the weights sum to %g", trial, total);
        ck_assert_double_eq_tol(svm.dual, dual(e.x, e.y, a, gamma), 1e-5 * (1.0 + svm.dual));
        ck_assert_double_le(svm.gap, (double)o.tolerance);
        arena_free(arena);
    }
}
END_TEST

// The point of Σ a_i = 0 within the bounds that is nearest to a: all are moved by the same amount and cut, found by bisection.
static void project(double *a, const float *y, int count, double c)
{
    double from = -1e3, to = 1e3;
    for (int step = 0; step < 100; step++) {
        const double shift = 0.5 * (from + to);
        double total = 0.0;
        for (int i = 0; i < count; i++) {
            const double low = y[i] > 0 ? 0.0 : -c;
            total += fmin(fmax(a[i] - shift, low), low + c);
        }
        if (total > 0.0)
            from = shift;
        else
            to = shift;
    }
    for (int i = 0; i < count; i++) {
        const double low = y[i] > 0 ? 0.0 : -c;
        a[i] = fmin(fmax(a[i] - from, low), low + c);
    }
}

START_TEST(the_dual_is_that_of_projected_gradient_ascent)
{
    enum { ROWS = 24 };
    const float gammas[] = {0.0f, 0.3f};
    Rng rng = rng_new(2, 1);
    for (int trial = 0; trial < 6; trial++) {
        Arena *arena = arena_new();
        Examples e = examples(arena, &rng, ROWS, 2);
        const float gamma = gammas[trial % 2];
        const double c = trial < 4 ? 1.0 : 0.1;
        double k[ROWS][ROWS], trace = 0.0, a[ROWS] = {0};
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < ROWS; j++) k[i][j] = kernel(e.x, i, e.x, j, gamma);
        for (int i = 0; i < ROWS; i++) trace += k[i][i]; // at least the largest eigenvalue
        for (int step = 0; step < 40000; step++) {
            double moved[ROWS];
            for (int i = 0; i < ROWS; i++) {
                double error = (double)e.y[i];
                for (int j = 0; j < ROWS; j++) error -= a[j] * k[i][j];
                moved[i] = a[i] + error / trace;
            }
            memcpy(a, moved, sizeof a);
            project(a, e.y, ROWS, c);
        }
        Svm svm = svm_fit(arena, e.x, e.y, (SvmOptions){.c = (float)c, .gamma = gamma, .tolerance = 1e-6f});
        const double expected = dual(e.x, e.y, a, gamma);
        ck_assert_msg(fabs(svm.dual - expected) <= 1e-5 * expected, "trial %d: got %.9g, expected %.9g",
                      trial, svm.dual, expected);
        arena_free(arena);
    }
}
END_TEST

START_TEST(the_support_vectors_alone_give_the_same_decisions)
{
    const float gammas[] = {0.0f, 0.2f};
    Rng rng = rng_new(3, 1);
    for (int trial = 0; trial < 2; trial++) {
        Arena *arena = arena_new();
        Examples e = examples(arena, &rng, 300, 3);
        const SvmOptions o = {.c = 1, .gamma = gammas[trial], .tolerance = 1e-6f};
        Svm svm = svm_fit(arena, e.x, e.y, o);
        ck_assert_int_lt(svm.vectors.rows, 250);
        float *y = arena_alloc(arena, (size_t)svm.vectors.rows, sizeof *y);
        for (int s = 0; s < svm.vectors.rows; s++) y[s] = e.y[svm.rows[s]];
        Svm again = svm_fit(arena, svm.vectors, y, o);
        Matrix before = matrix_new(arena, 300, 1), after = matrix_new(arena, 300, 1);
        svm_decisions(before, &svm, e.x);
        svm_decisions(after, &again, e.x);
        ck_assert_float_le(largest_difference(before, after), 1e-4f);
        arena_free(arena);
    }
}
END_TEST

// The same example with both labels, many times: nothing tells them apart, and both weights go to the bound.
START_TEST(rows_that_contradict_each_other_are_bounded)
{
    float data[12], y[12];
    for (int i = 0; i < 12; i++) data[i] = i < 8 ? 1.0f : (float)i, y[i] = i % 2 ? 1.0f : -1.0f;
    Arena *arena = arena_new();
    for (int linear = 0; linear < 2; linear++) {
        Svm svm = svm_fit(arena, matrix_view(12, 1, data), y,
                          (SvmOptions){.c = 2, .gamma = linear ? 0.0f : 0.5f, .tolerance = 1e-4f});
        ck_assert_double_le(svm.gap, 1e-4);
        double first = 0.0;
        for (int s = 0; s < svm.vectors.rows; s++)
            if (svm.rows[s] < 8) first += (double)svm.weights.data[s];
        ck_assert_msg(fabs(first) <= 16.0 && svm.at_bound >= 6, "%d at the bound", svm.at_bound);
    }
    arena_free(arena);
}
END_TEST

// ---- The same bits ----------------------------------------------------------------------------------------------------------------

static void expect_same_machine(const Svm *a, const Svm *b)
{
    ck_assert_int_eq(a->vectors.rows, b->vectors.rows);
    ck_assert_int_eq(a->iterations, b->iterations);
    ck_assert(a->bias == b->bias && a->dual == b->dual);
    ck_assert_mem_eq(a->weights.data, b->weights.data, (size_t)a->weights.rows * sizeof(float));
    ck_assert_mem_eq(a->rows, b->rows, (size_t)a->weights.rows * sizeof(int));
}

START_TEST(little_memory_and_other_threads_change_no_bit)
{
    Rng rng = rng_new(4, 1);
    for (int trial = 0; trial < 4; trial++) {
        Arena *arena = arena_new();
        Examples e = examples(arena, &rng, 64 + 97 * trial, 5);
        SvmOptions o = {.c = 1, .gamma = trial % 2 ? 0.0f : 0.3f};
        const Svm whole = svm_fit(arena, e.x, e.y, o);
        for (size_t bytes = 1; bytes < 1000000; bytes *= 40) {
            o.cache_bytes = bytes;
            const Svm little = svm_fit(arena, e.x, e.y, o);
            expect_same_machine(&whole, &little);
        }
        o.cache_bytes = 0;
        for (int threads = 1; threads <= 3; threads++) {
            parallel_set_threads(threads);
            const Svm other = svm_fit(arena, e.x, e.y, o);
            expect_same_machine(&whole, &other);
        }
        arena_free(arena);
    }
}
END_TEST

// ---- Decisions ----------------------------------------------------------------------------------------------------------------------

START_TEST(a_decision_is_the_weighted_sum_of_kernels)
{
    Rng rng = rng_new(5, 1);
    for (int trial = 0; trial < 2; trial++) {
        Arena *arena = arena_new();
        Examples e = examples(arena, &rng, 90, 4);
        const float gamma = trial ? 0.4f : 0.0f;
        Svm svm = svm_fit(arena, e.x, e.y, (SvmOptions){.c = 1, .gamma = gamma});
        Matrix new_rows = matrix_new(arena, 700, 4), scores = matrix_new(arena, 700, 1);
        fill_normal(new_rows, &rng, 0.0f, 2.0f);
        svm_decisions(scores, &svm, new_rows);
        for (int i = 0; i < 700; i++) {
            double expected = (double)svm.bias, size = 1.0;
            for (int s = 0; s < svm.vectors.rows; s++) {
                const double term = (double)svm.weights.data[s] * kernel(svm.vectors, s, new_rows, i, gamma);
                expected += term, size += fabs(term);
            }
            ck_assert_msg(fabs((double)scores.data[i] - expected) <= 2e-6 * size,
                          "row %d: got %.8g, expected %.8g", i, (double)scores.data[i], expected);
        }
        svm_decisions(matrix_new(arena, 0, 1), &svm, matrix_new(arena, 0, 4));
        arena_free(arena);
    }
}
END_TEST

// Distances do not change when everything is moved, and a column that is the same everywhere adds nothing.
START_TEST(data_far_from_zero_are_learnt_like_data_around_it)
{
    Rng rng = rng_new(6, 1);
    Arena *arena = arena_new();
    Examples e = examples(arena, &rng, 120, 3);
    Matrix far = matrix_new(arena, 120, 4), near = matrix_new(arena, 120, 1),
           moved = matrix_new(arena, 120, 1);
    for (int i = 0; i < 120; i++) {
        for (int j = 0; j < 3; j++) {
            AT(e.x, i, j) = roundf(AT(e.x, i, j) * 64.0f) / 64.0f;
            AT(far, i, j) = AT(e.x, i, j) + 5000.0f;
        }
        AT(far, i, 3) = 1e4f;
    }
    const SvmOptions o = {.c = 1, .gamma = 0.3f, .tolerance = 1e-5f};
    Svm a = svm_fit(arena, e.x, e.y, o), b = svm_fit(arena, far, e.y, o);
    svm_decisions(near, &a, e.x);
    svm_decisions(moved, &b, far);
    ck_assert_float_le(largest_difference(near, moved), 1e-3f);
    ck_assert_double_eq_tol(a.dual, b.dual, 1e-4 * a.dual);
    arena_free(arena);
}
END_TEST

// ---- Several classes ------------------------------------------------------------------------------------------------------------------

// Classes 0, 1, 3 and 4 of five, of different sizes, in any order.
static int *several(Arena *arena, Rng *rng, Matrix x)
{
    static const int kinds[] = {4, 0, 3, 1, 0, 0, 3};
    int *labels = arena_alloc(arena, (size_t)x.rows, sizeof *labels);
    fill_normal(x, rng, 0.0f, 0.8f);
    for (int i = 0; i < x.rows; i++) {
        labels[i] = kinds[rng_below(rng, 7)];
        AT(x, i, 0) += (float)(labels[i] % 3), AT(x, i, 1) += (float)(labels[i] / 3);
    }
    return labels;
}

START_TEST(one_against_one_is_a_machine_for_each_pair_and_a_vote)
{
    enum { ROWS = 260 };
    Arena *arena = arena_new();
    Rng rng = rng_new(7, 1);
    Matrix x = matrix_new(arena, ROWS, 2), scores = matrix_new(arena, ROWS, 1);
    int *labels = several(arena, &rng, x), votes[ROWS][5] = {{0}}, predicted[ROWS], pair = 0;
    const SvmOptions o = {.c = 1, .gamma = 0.5f};
    SvmClasses many = svm_fit_classes(arena, x, labels, 5, o);
    ck_assert_int_eq(many.pairs, 6);
    for (int a = 0; a < 5; a++)
        for (int b = a + 1; b < 5; b++) {
            if (a == 2 || b == 2) continue;
            float y[ROWS];
            int rows[ROWS], count = 0;
            for (int half = 0; half < 2; half++)
                for (int i = 0; i < ROWS; i++)
                    if (labels[i] == (half ? b : a)) rows[count] = i, y[count++] = half ? -1.0f : 1.0f;
            Matrix two = matrix_new(arena, count, 2);
            gather_rows(two, x, rows);
            Svm svm = svm_fit(arena, two, y, o);
            svm_decisions(scores, &svm, x);
            for (int i = 0; i < ROWS; i++) votes[i][scores.data[i] > 0.0f ? a : b]++;
            ck_assert(many.first[pair] == a && many.second[pair] == b);
            ck_assert_double_eq_tol(many.duals[pair], svm.dual, 1e-3 * svm.dual);
            pair++;
        }
    svm_predict(predicted, &many, x);
    int same = 0;
    for (int i = 0; i < ROWS; i++) {
        int best = 0;
        for (int k = 1; k < 5; k++)
            if (votes[i][k] > votes[i][best]) best = k;
        same += predicted[i] == best;
    }
    ck_assert_int_ge(same, ROWS - 2); // a score may be within the tolerance of 0
    arena_free(arena);
}
END_TEST

START_TEST(classes_change_no_bit_with_memory_or_threads)
{
    enum { ROWS = 400 };
    Arena *arena = arena_new();
    Rng rng = rng_new(8, 1);
    Matrix x = matrix_new(arena, ROWS, 3);
    int *labels = several(arena, &rng, x);
    SvmOptions o = {.c = 2, .gamma = 0.5f};
    for (int linear = 0; linear < 2; linear++) {
        if (linear) o.gamma = 0.0f;
        o.cache_bytes = 0;
        const SvmClasses whole = svm_fit_classes(arena, x, labels, 5, o);
        for (int other = 0; other < 3; other++) {
            parallel_set_threads(1 + other);
            o.cache_bytes = other == 2 ? 0 : (size_t)1 << 10 * other;
            const SvmClasses again = svm_fit_classes(arena, x, labels, 5, o);
            ck_assert_int_eq(again.vectors.rows, whole.vectors.rows);
            ck_assert_mem_eq(again.weights.data, whole.weights.data,
                             matrix_size(whole.weights) * sizeof(float));
            ck_assert_mem_eq(again.biases.data, whole.biases.data, 6 * sizeof(float));
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(the_scale_of_gamma_is_one_over_the_variance_of_all_numbers)
{
    float data[] = {1, 2, 3, 4, 5, 6}, same[] = {3, 3, 3, 3};
    ck_assert_float_eq_tol(svm_gamma_scale(matrix_view(3, 2, data)), 1.0f / (2.0f * 35.0f / 12.0f), 1e-7f);
    ck_assert_float_eq(svm_gamma_scale(matrix_view(2, 2, same)), 1.0f);
}
END_TEST

// ---- What is refused ----------------------------------------------------------------------------------------------------------------

typedef struct {
    float x[4], y[4];
    int labels[4], rows, classes;
    SvmOptions options;
} Odd;
static void fit_odd(void *context)
{
    Odd *odd = context;
    svm_fit(arena_new(), matrix_view(odd->rows, 1, odd->x), odd->y, odd->options);
}
static void fit_odd_classes(void *context)
{
    Odd *odd = context;
    svm_fit_classes(arena_new(), matrix_view(odd->rows, 1, odd->x), odd->labels, odd->classes, odd->options);
}
static void decide_on(void *context)
{
    Odd good = {.x = {1, 2}, .y = {1, -1}};
    Svm svm = svm_fit(arena_new(), matrix_view(2, 1, good.x), good.y, (SvmOptions){.c = 1});
    float scores[4];
    svm_decisions(matrix_view(1, 1, scores), &svm, *(Matrix *)context);
}

START_TEST(what_no_machine_can_learn_is_refused)
{
    const SvmOptions o = {.c = 1, .gamma = 1};
    expect_death(fit_odd, (&(Odd){{1, 2}, {1, 1}, .rows = 2, .options = o}), "all 2 labels are 1");
    expect_death(fit_odd, (&(Odd){{1, 2}, {-1, -1}, .rows = 2, .options = o}), "all 2 labels are -1");
    expect_death(fit_odd, (&(Odd){{1, 2}, {1, 0}, .rows = 2, .options = o}), "y[1] is 0, not 1 or -1");
    expect_death(fit_odd, (&(Odd){{1, NAN}, {1, -1}, .rows = 2, .options = o}), "x holds NaN or infinity");
    expect_death(fit_odd, (&(Odd){{1, 1e20f}, {1, -1}, .rows = 2, .options = o}), "squares are too large");
    expect_death(fit_odd, (&(Odd){.rows = 0, .options = o}), "x (0 × 1)");
    expect_death(fit_odd, (&(Odd){{1, 2}, {1, -1}, .rows = 2}), "c is 0");
    expect_death(fit_odd, (&(Odd){{1, 2}, {1, -1}, .rows = 2, .options = {.c = 1, .gamma = -1}}),
                 "gamma is -1");
    expect_death(fit_odd, (&(Odd){{1, 2}, {1, -1}, .rows = 2, .options = {.c = 1, .tolerance = NAN}}),
                 "tolerance is nan");
    expect_death(fit_odd_classes, (&(Odd){{1, 2}, .labels = {1, 1}, .rows = 2, .classes = 2, .options = o}),
                 "all 2 rows have the label 1");
    expect_death(fit_odd_classes, (&(Odd){{1, 2}, .labels = {0, 2}, .rows = 2, .classes = 2, .options = o}),
                 "the label of row 1 is 2, there are 2");
    expect_death(fit_odd_classes, (&(Odd){{1, 2}, .labels = {0, 0}, .rows = 2, .classes = 1, .options = o}),
                 "1 classes");
}
END_TEST

START_TEST(what_no_machine_can_answer_is_refused)
{
    float data[] = {NAN, 1};
    expect_death(decide_on, (&(Matrix){1, 1, data}), "x holds NaN");
    expect_death(decide_on, (&(Matrix){1, 2, data}), "fitted on 1 columns");
    expect_death(decide_on, (&(Matrix){2, 1, data + 1}), "scores (1 × 1)");
}
END_TEST

SUITE("svm", two_points_by_hand, no_two_errors_disagree_by_more_than_the_tolerance,
      the_dual_is_that_of_projected_gradient_ascent, the_support_vectors_alone_give_the_same_decisions,
      rows_that_contradict_each_other_are_bounded, little_memory_and_other_threads_change_no_bit,
      a_decision_is_the_weighted_sum_of_kernels, data_far_from_zero_are_learnt_like_data_around_it,
      one_against_one_is_a_machine_for_each_pair_and_a_vote, classes_change_no_bit_with_memory_or_threads,
      the_scale_of_gamma_is_one_over_the_variance_of_all_numbers, what_no_machine_can_learn_is_refused,
      what_no_machine_can_answer_is_refused)
