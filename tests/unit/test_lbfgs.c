#include "learning/lbfgs.h"
#include "suite.h"

#include <math.h>

// ½ Σ j² (w_j − j)², of j = 1, 2, …: the bowl is n² times as steep one way as another.
static double bowl(Matrix gradient, Matrix w, void *context)
{
    (void)context;
    double loss = 0.0;
    for (int j = 0; j < w.rows; j++) {
        const double steepness = (j + 1.0) * (j + 1.0), off = (double)w.data[j] - (j + 1.0);
        loss += 0.5 * steepness * off * off;
        gradient.data[j] = (float)(steepness * off);
    }
    return loss;
}

// Rosenbrock's valley for each pair of weights, Σ 100 (w_{i+1} − w_i²)² + (1 − w_i)² with i = 0, 2, …: its floor is flat
// and bent, its minimum at 1, …, 1.
static double valley(Matrix gradient, Matrix w, void *context)
{
    int *calls = context;
    if (calls) ++*calls;
    double loss = 0.0;
    fill(gradient, 0.0f);
    for (int i = 0; i + 1 < w.rows; i += 2) {
        const double a = (double)w.data[i], side = (double)w.data[i + 1] - a * a;
        loss += 100.0 * side * side + (1.0 - a) * (1.0 - a);
        gradient.data[i] += (float)(-400.0 * a * side - 2.0 * (1.0 - a));
        gradient.data[i + 1] += (float)(200.0 * side);
    }
    return loss;
}

START_TEST(a_bowl_is_solved)
{
    Arena *arena = arena_new();
    for (int n = 1; n <= 30; n += 7) {
        Matrix w = matrix_new(arena, n, 1);
        const LbfgsResult found =
            lbfgs_minimise(arena, w, bowl, NULL, ((LbfgsOptions){.iterations = 300, .tolerance = 1e-2}));
        ck_assert_msg(found.converged, "n = %d: %d iterations, a gradient of %g", n, found.iterations,
                      found.largest_gradient);
        // Steps have the right length by themselves: what is tried first is mostly what is taken.
        ck_assert_msg(found.evaluations < 2 * found.iterations + 3, "n = %d: %d evaluations in %d iterations",
                      n, found.evaluations, found.iterations);
        for (int j = 0; j < n; j++) // the gradient is (j + 1)² times what is missing
            ck_assert_double_eq_tol((double)w.data[j], j + 1.0, 1e-2 / (j + 1.0) / (j + 1.0) * 1.01);
        ck_assert(found.loss <= 1e-4 * n);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_bent_valley_is_followed_to_its_end)
{
    Arena *arena = arena_new();
    const int sizes[] = {2, 10, 100};
    for (int s = 0; s < 3; s++) {
        Matrix w = matrix_new(arena, sizes[s], 1);
        int calls = 0;
        for (int i = 0; i < sizes[s]; i++) w.data[i] = i % 2 ? 1.0f : -1.2f;
        const LbfgsResult found =
            lbfgs_minimise(arena, w, valley, &calls, ((LbfgsOptions){.iterations = 1000, .tolerance = 1e-3}));
        ck_assert_msg(found.converged, "n = %d: %d iterations, a gradient of %g", sizes[s], found.iterations,
                      found.largest_gradient);
        ck_assert_int_eq(found.evaluations, calls);
        // Liu and Nocedal need 36 to 50 for n = 2 to 100, from here and with a sharper end
        ck_assert_msg(found.iterations < 100, "n = %d: %d iterations", sizes[s], found.iterations);
        for (int i = 0; i < sizes[s]; i++) ck_assert_double_eq_tol((double)w.data[i], 1.0, 2e-3);
    }
    arena_free(arena);
}
END_TEST

// On a line through a bowl every step obeys both conditions of Wolfe, whatever the memory: no step raises the loss.
START_TEST(no_step_raises_the_loss)
{
    Arena *arena = arena_new();
    for (int memory = 1; memory <= 20; memory += 6) {
        Matrix w = matrix_new(arena, 20, 1);
        double before = INFINITY;
        for (int steps = 0; steps < 25; steps++) {
            for (int i = 0; i < 20; i++) w.data[i] = i % 2 ? 1.0f : -1.2f;
            const LbfgsResult found = lbfgs_minimise(arena, w, valley, NULL,
                                                     ((LbfgsOptions){.iterations = steps, .memory = memory}));
            ck_assert_int_eq(found.iterations, steps);
            ck_assert_msg(found.loss < before, "memory %d: %g after %d steps, %g before", memory, found.loss,
                          steps, before);
            before = found.loss;
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(the_result_tells_what_is_in_w)
{
    Arena *arena = arena_new();
    Matrix w = matrix_new(arena, 6, 1), gradient = matrix_new(arena, 6, 1);
    const LbfgsResult none = lbfgs_minimise(arena, w, valley, NULL, ((LbfgsOptions){.iterations = 0}));
    ck_assert(none.iterations == 0 && none.evaluations == 1 && !none.converged && none.loss == 3.0);
    ck_assert(sum_of_squares(w) == 0.0);
    const LbfgsResult some = lbfgs_minimise(arena, w, valley, NULL, ((LbfgsOptions){.iterations = 7}));
    ck_assert(some.loss == valley(gradient, w, NULL));
    ck_assert(some.largest_gradient == (double)fmaxf(largest(gradient), -smallest(gradient)));
    // Nothing but rounding is left in the end, and that is no reason to go on forever.
    const LbfgsResult end = lbfgs_minimise(arena, w, valley, NULL, ((LbfgsOptions){.iterations = 100000}));
    ck_assert(end.iterations < 1000 && end.loss < 1e-10);
    arena_free(arena);
}
END_TEST

// w − log w for w > 0, a NaN elsewhere: its minimum is 1
static double fenced(Matrix gradient, Matrix w, void *context)
{
    (void)context;
    gradient.data[0] = 1.0f - 1.0f / w.data[0];
    return (double)w.data[0] - log((double)w.data[0]);
}

START_TEST(steps_to_where_there_is_no_loss_are_shortened)
{
    Arena *arena = arena_new();
    Matrix w = matrix_new(arena, 1, 1);
    const float starts[] = {0.5f, 0.001f, 40.0f};
    for (int s = 0; s < 3; s++) {
        w.data[0] = starts[s];
        const LbfgsResult found =
            lbfgs_minimise(arena, w, fenced, NULL, ((LbfgsOptions){.iterations = 100, .tolerance = 1e-4}));
        ck_assert_msg(found.converged && fabsf(w.data[0] - 1.0f) < 2e-4f, "from %g: %g", (double)starts[s],
                      (double)w.data[0]);
    }
    arena_free(arena);
}
END_TEST

static void bad_start(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    lbfgs_minimise(arena, matrix_new(arena, 1, 1), fenced, NULL, ((LbfgsOptions){.iterations = 3}));
}
static void bad_options(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    lbfgs_minimise(arena, matrix_new(arena, 2, 1), bowl, NULL, ((LbfgsOptions){.iterations = -1}));
}

START_TEST(what_has_no_start_is_refused)
{
    expect_death(bad_start, NULL, "lbfgs_minimise: the loss at the start is inf");
    expect_death(bad_options, NULL, "lbfgs_minimise: w (2 × 1), -1 iterations");
}
END_TEST

SUITE("lbfgs", a_bowl_is_solved, a_bent_valley_is_followed_to_its_end, no_step_raises_the_loss,
      the_result_tells_what_is_in_w, steps_to_where_there_is_no_loss_are_shortened,
      what_has_no_start_is_refused)
