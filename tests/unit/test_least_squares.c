#include "learning/least_squares.h"
#include "suite.h"

#include <math.h>
#include <string.h>

typedef struct {
    Matrix x, y, w;
} Problem;

static Problem problem(Arena *arena, int n, int d)
{
    Rng rng = rng_new(7, (uint64_t)(n * 100 + d));
    Problem p = {matrix_new(arena, n, d), matrix_new(arena, n, 1), matrix_new(arena, d, 1)};
    for (size_t i = 0; i < matrix_size(p.x); i++) p.x.data[i] = rng_between(&rng, -1.0f, 1.0f);
    for (size_t i = 0; i < matrix_size(p.y); i++) p.y.data[i] = rng_between(&rng, -1.0f, 1.0f);
    for (size_t i = 0; i < matrix_size(p.w); i++) p.w.data[i] = rng_between(&rng, -1.0f, 1.0f);
    return p;
}

// The oracle: the same minibatches in double precision and plain loops.
static void naive_sgd(double *w, Problem p, LeastSquaresPlan plan, Rng *rng)
{
    int order[512], n = p.x.rows, d = p.x.cols;
    for (int epoch = 0; epoch < plan.epochs; epoch++) {
        rng_permutation(rng, order, n);
        for (int first = 0; first < n; first += plan.batch) {
            int count = int_min(plan.batch, n - first);
            double gradient[64] = {0};
            for (int i = 0; i < count; i++) {
                double error = -(double)p.y.data[order[first + i]];
                for (int j = 0; j < d; j++) error += (double)AT(p.x, order[first + i], j) * w[j];
                for (int j = 0; j < d; j++)
                    gradient[j] += (double)AT(p.x, order[first + i], j) * error / count;
            }
            for (int j = 0; j < d; j++) w[j] -= (double)plan.rate * gradient[j];
        }
    }
}

START_TEST(it_takes_the_same_steps_as_plain_loops)
{
    const int shapes[][3] = {{1, 1, 1}, {7, 3, 2}, {50, 10, 32}, {33, 16, 8}, {64, 17, 5}, {101, 40, 200}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        Arena *arena = arena_new();
        Problem p = problem(arena, shapes[s][0], shapes[s][1]);
        LeastSquaresPlan plan = {.epochs = 5, .batch = shapes[s][2], .rate = 0.1f};
        double w[64];
        for (int j = 0; j < p.w.rows; j++) w[j] = (double)p.w.data[j];
        Rng first = rng_new(3, 4), second = first;
        naive_sgd(w, p, plan, &first);
        least_squares_sgd(arena, p.w, p.x, p.y, plan, &second);
        for (int j = 0; j < p.w.rows; j++)
            ck_assert_msg(fabs(w[j] - (double)p.w.data[j]) <= 1e-5,
                          "%d × %d: weight %d is %.8f, expected %.8f", p.x.rows, p.x.cols, j,
                          (double)p.w.data[j], w[j]);
        arena_free(arena);
    }
}
END_TEST

START_TEST(no_epochs_change_nothing)
{
    Arena *arena = arena_new();
    Problem p = problem(arena, 9, 5);
    Matrix before = matrix_copy(arena, p.w);
    Rng rng = rng_new(1, 1);
    least_squares_sgd(arena, p.w, p.x, p.y, ((LeastSquaresPlan){.epochs = 0, .batch = 4, .rate = 1.0f}),
                      &rng);
    ck_assert(memcmp(before.data, p.w.data, 5 * sizeof(float)) == 0);
    arena_free(arena);
}
END_TEST

static void wrong_shape(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Rng rng = rng_new(1, 1);
    least_squares_sgd(arena, matrix_new(arena, 4, 1), matrix_new(arena, 9, 5), matrix_new(arena, 9, 1),
                      ((LeastSquaresPlan){.epochs = 1, .batch = 4, .rate = 1.0f}), &rng);
}

START_TEST(wrong_shapes_are_named)
{
    expect_death(wrong_shape, NULL, "least_squares_sgd: x (9 × 5), w (4 × 1), y (9 × 1)");
}
END_TEST

// At the minimum, the errors are orthogonal to every column.
START_TEST(what_is_solved_leaves_errors_orthogonal_to_every_column)
{
    const int shapes[][2] = {{1, 1}, {5, 5}, {50, 10}, {33, 16}, {700, 3}, {101, 40}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        Arena *arena = arena_new();
        Problem p = problem(arena, shapes[s][0], shapes[s][1]);
        least_squares_solve(p.w, p.x, p.y);
        for (int j = 0; j < p.x.cols; j++) {
            double inner = 0.0;
            for (int i = 0; i < p.x.rows; i++) {
                double error = -(double)p.y.data[i];
                for (int k = 0; k < p.x.cols; k++) error += (double)AT(p.x, i, k) * (double)p.w.data[k];
                inner += error * (double)AT(p.x, i, j);
            }
            ck_assert_msg(fabs(inner) <= 2e-5, "%d × %d: column %d and the errors give %g", p.x.rows,
                          p.x.cols, j, inner);
        }
        arena_free(arena);
    }
}
END_TEST

START_TEST(weights_that_fit_are_found)
{
    float x_values[] = {1, 2, 3, 4, 5, 7, -1, 0}, y_values[] = {-4, -6, -11, -2}, w_values[] = {9, 9};
    Matrix w = matrix_view(2, 1, w_values);
    least_squares_solve(w, matrix_view(4, 2, x_values), matrix_view(4, 1, y_values)); // y = 2 x₁ − 3 x₂
    ck_assert_double_eq_tol((double)w_values[0], 2.0, 1e-6);
    ck_assert_double_eq_tol((double)w_values[1], -3.0, 1e-6);
}
END_TEST

static void dependent_columns(void *context)
{
    (void)context;
    float x[] = {1, 2, 3, 6, 5, 10}, y[] = {1, 2, 3}, w[2];
    least_squares_solve(matrix_view(2, 1, w), matrix_view(3, 2, x), matrix_view(3, 1, y));
}

static void wrong_shape_to_solve(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    least_squares_solve(matrix_new(arena, 4, 1), matrix_new(arena, 9, 5), matrix_new(arena, 9, 1));
}

START_TEST(what_cannot_be_solved_is_refused)
{
    expect_death(dependent_columns, NULL, "column 1 of x");
    expect_death(wrong_shape_to_solve, NULL, "least_squares_solve: x (9 × 5), w (4 × 1), y (9 × 1)");
}
END_TEST

// y = 3 − 2 (x − offset), with a column of ones: the intercept is 3 + 2 offset
START_TEST(an_intercept_beside_numbers_far_from_zero_is_found)
{
    Arena *arena = arena_new();
    const double offsets[] = {0, 1000, 10000, 100000};
    for (int o = 0; o < 4; o++) {
        Matrix x = matrix_new(arena, 200, 2), y = matrix_new(arena, 200, 1), w = matrix_new(arena, 2, 1);
        Rng rng = rng_new(2, 2);
        for (int i = 0; i < 200; i++) {
            AT(x, i, 0) = 1.0f;
            AT(x, i, 1) = (float)offsets[o] + (float)rng_below(&rng, 16) / 16;
            y.data[i] = (float)(3 - 2 * ((double)AT(x, i, 1) - offsets[o]));
        }
        least_squares_solve(w, x, y);
        ck_assert_msg(fabs((double)w.data[1] + 2) < 1e-6, "around %g: a slope of %.9g", offsets[o],
                      (double)w.data[1]);
        ck_assert_msg(fabs((double)w.data[0] / (3 + 2 * offsets[o]) - 1) < 1e-6,
                      "around %g: an intercept of %.9g", offsets[o], (double)w.data[0]);
    }
    arena_free(arena);
}
END_TEST

START_TEST(columns_of_any_size_are_solved)
{
    const float sizes[] = {1e-30f, 1e-19f, 1e19f, 1e30f};
    for (int s = 0; s < 4; s++) {
        float x[] = {1, 2, 3, 4, 5, 7, -1, 0}, y[] = {-4, -6, -11, -2}, w[2];
        for (int i = 0; i < 8; i++) x[i] *= sizes[s];
        least_squares_solve(matrix_view(2, 1, w), matrix_view(4, 2, x),
                            matrix_view(4, 1, y)); // y = 2 x₁ − 3 x₂
        ck_assert_msg(fabs((double)w[0] * (double)sizes[s] - 2) < 1e-5, "got %g", (double)w[0]);
        ck_assert_msg(fabs((double)w[1] * (double)sizes[s] + 3) < 1e-5, "got %g", (double)w[1]);
    }
}
END_TEST

static void solve_four(void *context)
{
    float *values = context, w[2];
    least_squares_solve(matrix_view(2, 1, w), matrix_view(4, 2, values), matrix_view(4, 1, values + 8));
}

START_TEST(what_is_not_finite_or_too_large_is_named)
{
    float good[] = {1, 2, 3, 4, 5, 7, -1, 0, -4, -6, -11, -2}, bad[12];
    const int places[] = {3, 9};
    for (int p = 0; p < 2; p++) {
        memcpy(bad, good, sizeof bad);
        bad[places[p]] = p ? INFINITY : NAN;
        expect_death(solve_four, bad, "least_squares_solve: x or y holds a NaN or an infinity");
    }
    for (int i = 0; i < 12; i++) bad[i] = i < 8 ? good[i] * 1e-30f : good[i] * 1e30f;
    expect_death(solve_four, bad, "a weight is larger than any float");
}
END_TEST

SUITE("least_squares", it_takes_the_same_steps_as_plain_loops, no_epochs_change_nothing,
      wrong_shapes_are_named, what_is_solved_leaves_errors_orthogonal_to_every_column,
      weights_that_fit_are_found, what_cannot_be_solved_is_refused,
      an_intercept_beside_numbers_far_from_zero_is_found, columns_of_any_size_are_solved,
      what_is_not_finite_or_too_large_is_named)
