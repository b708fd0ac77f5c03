// Log probabilities of rows, weighted rows and soft targets: against double precision, at extremes, and their gradients.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/likelihood.h"
#include <math.h>

enum { N = 6, K = 5 };
static const int LABELS[N] = {4, 0, LABEL_IGNORED, 2, 1, 3};
static const float WEIGHTS[N] = {1.5f, -2.0f, 7.0f, 0.0f, 0.25f, -0.5f}; // advantages may be negative

typedef struct {
    Tensor *x;
    Matrix targets;
} Case;

static Case new_case(Arena *arena)
{
    Case c = {parameter_new(arena, N, K), matrix_new(arena, N, K)};
    Rng rng = rng_new(6, 0);
    fill_uniform(c.x->value, &rng, -3.0f, 3.0f);
    fill_uniform(c.targets, &rng, 0.0f, 1.0f);
    AT(c.targets, 2, 3) = 0.0f;
    return c;
}

static double log_softmax(Matrix x, int i, int j)
{
    double most = -INFINITY, total = 0.0;
    for (int k = 0; k < x.cols; k++) most = fmax(most, (double)AT(x, i, k));
    for (int k = 0; k < x.cols; k++) total += exp((double)AT(x, i, k) - most);
    return (double)AT(x, i, j) - most - log(total);
}

static Tensor *build_rows(Tape *tape, void *context)
{
    return row_log_probabilities(tape_parameter(tape, ((Case *)context)->x), LABELS);
}
static Tensor *build_weighted(Tape *tape, void *context)
{
    return cross_entropy_weighted(tape_parameter(tape, ((Case *)context)->x), LABELS, WEIGHTS);
}
static Tensor *build_soft(Tape *tape, void *context)
{
    const Case *c = context;
    return soft_cross_entropy(tape_parameter(tape, c->x), c->targets);
}

static void expect_close(const char *what, double got, double expected)
{
    ck_assert_msg(fabs(got - expected) <= 2e-6 * (1 + fabs(expected)), "%s: got %.9g, expected %.9g", what,
                  got, expected);
}

START_TEST(values_are_those_of_double_precision)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = new_case(arena);
    const Matrix x = c.x->value;
    double weighted = 0.0, soft = 0.0;
    const Tensor *rows = build_rows(tape, &c);
    for (int i = 0; i < N; i++) {
        const double expected = LABELS[i] == LABEL_IGNORED ? 0.0 : log_softmax(x, i, LABELS[i]);
        expect_close("row_log_probabilities", (double)rows->value.data[i], expected);
        weighted -= (double)WEIGHTS[i] * expected / (N - 1);
        for (int j = 0; j < K; j++) soft -= (double)AT(c.targets, i, j) * log_softmax(x, i, j) / N;
    }
    expect_close("cross_entropy_weighted", (double)build_weighted(tape, &c)->value.data[0], weighted);
    expect_close("soft_cross_entropy", (double)build_soft(tape, &c)->value.data[0], soft);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(ordinary_weights_and_hard_targets_give_cross_entropy)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = new_case(arena);
    const int labels[N] = {4, 0, 1, 2, 1, 3};
    const float ones[N] = {1, 1, 1, 1, 1, 1};
    fill(c.targets, 0.0f);
    for (int i = 0; i < N; i++) AT(c.targets, i, labels[i]) = 1.0f;
    Tensor *x = tape_parameter(tape, c.x);
    const double expected = (double)cross_entropy(x, labels)->value.data[0];
    expect_close("weights 1", (double)cross_entropy_weighted(x, labels, ones)->value.data[0], expected);
    expect_close("hard targets", (double)soft_cross_entropy(x, c.targets)->value.data[0], expected);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_are_right_and_wrong_ones_are_caught)
{
    Arena *arena = arena_new();
    Case c = new_case(arena);
    GraphBuilder const builders[] = {build_rows, build_weighted, build_soft};
    for (int i = 0; i < 3; i++)
        check_operation(builders[i], &c, (Tensor *const[]){c.x}, (const char *const[]){"logits"}, 1, 1e-2);
    arena_free(arena);
}
END_TEST

START_TEST(far_logits_keep_their_digits_and_forbidden_classes_cost_nothing)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, 3, 3), t = matrix_new(arena, 3, 3), p = matrix_new(arena, 3, 3),
           losses = matrix_new(arena, 3, 1);
    memcpy(x.data, (float[]){1e4f, 0, 0, 20, 0, 0, 1, 2, -INFINITY}, 9 * sizeof(float));
    memcpy(t.data, (float[]){0, 1, 0, 1, 0, 0, 0.5f, 0.5f, 0}, 9 * sizeof(float));
    soft_cross_entropy_forward(p, losses, x, t);
    expect_close("a score of 10 000", (double)losses.data[0], 1e4);
    expect_close("a class of share 0 and score −∞", (double)losses.data[2],
                 -0.5 * (log_softmax(x, 2, 0) + log_softmax(x, 2, 1)));
    Matrix rows = matrix_new(arena, 3, 1);
    row_log_probabilities_forward(rows, p, x, (int[]){0, 0, 0});
    const double expected =
        -2.0 * exp(-20.0); // log(1 / (1 + 2e⁻²⁰)), lost where log of a rounded share is taken
    ck_assert_msg(fabs((double)rows.data[1] - expected) <= 1e-6 * fabs(expected), "got %.9g, expected %.9g",
                  (double)rows.data[1], expected);
    arena_free(arena);
}
END_TEST

static void weigh_nothing(void *labels)
{
    Arena *arena = arena_new();
    cross_entropy_weighted(tape_parameter(tape_new(), parameter_new(arena, 2, 3)), labels, WEIGHTS);
}
static void take_wrong_targets(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    soft_cross_entropy(tape_parameter(tape_new(), parameter_new(arena, 2, 3)), matrix_new(arena, 3, 2));
}

START_TEST(labels_and_shapes_that_do_not_fit_are_named)
{
    expect_death(weigh_nothing, ((int[]){LABEL_IGNORED, LABEL_IGNORED}), "2 rows, all ignored");
    expect_death(weigh_nothing, ((int[]){0, 3}), "label 3 (row 1) for 3 classes");
    expect_death(take_wrong_targets, NULL, "logits (2 × 3), targets (3 × 2)");
}
END_TEST

SUITE("likelihood", values_are_those_of_double_precision,
      ordinary_weights_and_hard_targets_give_cross_entropy, gradients_are_right_and_wrong_ones_are_caught,
      far_logits_keep_their_digits_and_forbidden_classes_cost_nothing,
      labels_and_shapes_that_do_not_fit_are_named)
