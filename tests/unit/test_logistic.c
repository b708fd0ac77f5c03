#include "learning/logistic.h"
#include "learning/lbfgs.h"
#include "suite.h"

#include <math.h>

typedef struct {
    Matrix x, w;
    int *labels;
} Data;

// Labels that depend on x, but not quite
static Data data_new(Arena *arena, int rows, int cols, int classes)
{
    Rng rng = rng_new(4, (uint64_t)(rows * 100 + cols));
    Data data = {matrix_new(arena, rows, cols), matrix_new(arena, cols + 1, classes),
                 arena_alloc(arena, (size_t)rows, sizeof(int))};
    fill_uniform(data.x, &rng, -1.0f, 1.0f);
    fill_uniform(data.w, &rng, -1.0f, 1.0f);
    logistic_predict(data.labels, data.w, data.x);
    for (int i = 0; i < rows; i++)
        if (rng_below(&rng, 5) == 0) data.labels[i] = (int)rng_below(&rng, (uint32_t)classes);
    fill_uniform(data.w, &rng, -1.0f, 1.0f);
    return data;
}

// The oracle: loss and gradient in double precision and plain loops.
static double naive_loss(double *gradient, Data data, double decay)
{
    const int k = data.w.cols, d = data.x.cols, n = data.x.rows;
    double loss = 0.0, scores[16] = {0};
    for (int i = 0; i < (d + 1) * k; i++) gradient[i] = 0.0;
    for (int i = 0; i < n; i++) {
        double total = 0.0;
        for (int c = 0; c < k; c++) {
            scores[c] = (double)AT(data.w, d, c);
            for (int j = 0; j < d; j++) scores[c] += (double)AT(data.x, i, j) * (double)AT(data.w, j, c);
            total += exp(scores[c]);
        }
        loss += log(total) - scores[data.labels[i]];
        for (int c = 0; c < k; c++) {
            const double error = exp(scores[c]) / total - (data.labels[i] == c);
            for (int j = 0; j <= d; j++)
                gradient[j * k + c] += error * (j < d ? (double)AT(data.x, i, j) : 1.0) / n;
        }
    }
    loss /= n;
    for (int i = 0; i < d * k; i++) {
        const double weight = (double)data.w.data[i];
        loss += 0.5 * decay * weight * weight;
        gradient[i] += decay * weight;
    }
    return loss;
}

START_TEST(loss_and_gradient_are_those_of_plain_loops)
{
    const int shapes[][3] = {{1, 1, 2}, {63, 5, 3}, {64, 16, 10}, {300, 33, 7}, {1000, 70, 10}, {9001, 3, 2}};
    Arena *arena = arena_new();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int decayed = 0; decayed < 2; decayed++) {
            const Data data = data_new(arena, shapes[s][0], shapes[s][1], shapes[s][2]);
            Matrix gradient = matrix_new(arena, data.w.rows, data.w.cols);
            double *expected = arena_alloc(arena, matrix_size(gradient), sizeof *expected);
            LogisticProblem problem =
                logistic_problem(arena, data.x, data.labels, data.w.cols, decayed ? 0.3f : 0.0f);
            const double loss = logistic_objective(gradient, data.w, &problem),
                         naive = naive_loss(expected, data, decayed ? (double)0.3f : 0.0);
            ck_assert_msg(fabs(loss - naive) <= 1e-6 * (1 + naive), "%d × %d: a loss of %.9g, expected %.9g",
                          data.x.rows, data.x.cols, loss, naive);
            for (size_t i = 0; i < matrix_size(gradient); i++)
                ck_assert_msg(fabs((double)gradient.data[i] - expected[i]) <= 2e-6,
                              "%d × %d: gradient %zu is %.9g, expected %.9g", data.x.rows, data.x.cols, i,
                              (double)gradient.data[i], expected[i]);
        }
    arena_free(arena);
}
END_TEST

START_TEST(descent_finds_where_the_gradient_is_zero)
{
    Arena *arena = arena_new();
    const Data data = data_new(arena, 2000, 6, 3);
    LogisticProblem problem = logistic_problem(arena, data.x, data.labels, 3, 0.01f);
    Matrix w = matrix_new(arena, 7, 3), start = matrix_new(arena, 7, 3), gradient = matrix_new(arena, 7, 3);
    const LbfgsResult best = lbfgs_minimise(arena, w, logistic_objective, &problem,
                                            ((LbfgsOptions){.iterations = 200, .tolerance = 1e-5}));
    ck_assert_msg(best.converged, "a gradient of %g after %d iterations", best.largest_gradient,
                  best.iterations);
    Rng rng = rng_new(1, 0);
    logistic_sgd(&problem, start, ((LogisticPlan){.epochs = 30, .batch = 32, .rate = 0.5f}), &rng);
    const double descended = logistic_objective(gradient, start, &problem);
    ck_assert_msg(descended >= best.loss && descended < best.loss + 2e-3, "a loss of %.6f, at best %.6f",
                  descended, best.loss);
    int *predicted = arena_alloc(arena, 2000, sizeof(int)), right = 0;
    logistic_predict(predicted, w, data.x);
    for (int i = 0; i < 2000; i++) right += predicted[i] == data.labels[i];
    ck_assert_msg(right > 1400, "%d of 2000 right",
                  right); // a fifth of the labels are drawn, a third of them right
    arena_free(arena);
}
END_TEST

// One minibatch of everything from 0 is one step against the gradient.
START_TEST(a_minibatch_steps_against_its_gradient)
{
    Arena *arena = arena_new();
    const Data data = data_new(arena, 50, 4, 3);
    LogisticProblem problem = logistic_problem(arena, data.x, data.labels, 3, 0.1f);
    Matrix gradient = matrix_new(arena, 5, 3), w = matrix_copy(arena, data.w);
    logistic_objective(gradient, data.w, &problem);
    add_scaled(data.w, -0.25f, gradient);
    Rng rng = rng_new(1, 0);
    logistic_sgd(&problem, w, ((LogisticPlan){.epochs = 1, .batch = 100, .rate = 0.25f}), &rng);
    ck_assert_msg(largest_difference(w, data.w) < 1e-6f, "off by %g", (double)largest_difference(w, data.w));
    arena_free(arena);
}
END_TEST

static float values[] = {1, 2, 3, 4, 5, 6};
static int labels[] = {0, 2, 1};
static void bad_label(void *context)
{
    logistic_problem(arena_new(), matrix_view(3, 2, values), labels, context ? 3 : 2, 0.0f);
    if (context) labels[1] = -1;
    logistic_problem(arena_new(), matrix_view(3, 2, values), labels, 3, 0.0f);
}
static void bad_weights(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    LogisticProblem problem = logistic_problem(arena, matrix_view(3, 2, values), labels, 3, 0.0f);
    logistic_objective(matrix_new(arena, 3, 3), matrix_new(arena, 2, 3), &problem);
}
static void bad_number(void *context)
{
    Arena *arena = arena_new();
    float x[] = {1, 2, 3, *(const float *)context, 5, 6};
    LogisticProblem problem = logistic_problem(arena, matrix_view(3, 2, x), labels, 3, 0.0f);
    Matrix w = matrix_new(arena, 3, 3), gradient = matrix_new(arena, 3, 3);
    logistic_objective(gradient, w, &problem);
}

START_TEST(what_cannot_be_learnt_is_refused)
{
    int some = 1;
    float numbers[] = {NAN, INFINITY};
    expect_death(bad_label, NULL, "logistic_problem: label 2 of row 1, 2 classes");
    expect_death(bad_label, &some, "logistic_problem: label -1 of row 1, 3 classes");
    expect_death(bad_weights, NULL, "x has 2 columns, w is (2 × 3) for 3 classes");
    for (int i = 0; i < 2; i++)
        expect_death(bad_number, &numbers[i], "logistic_objective: x holds a NaN or an infinity");
}
END_TEST

SUITE("logistic", loss_and_gradient_are_those_of_plain_loops, descent_finds_where_the_gradient_is_zero,
      a_minibatch_steps_against_its_gradient, what_cannot_be_learnt_is_refused)
