// Softmax and losses: against double precision, at extremes, and their gradients.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/loss.h"
#include <math.h>

enum { N = 7, K = 5 };
static const int LABELS[N] = {4, 0, 2, LABEL_IGNORED, 1, 2, 3};

typedef struct {
    Tensor *x;
    Matrix target;
} Case;

static Case filled_case(Arena *arena, int rows, int cols)
{
    Case c = {parameter_new(arena, rows, cols), matrix_new(arena, rows, cols)};
    Rng rng = rng_new(11, 0);
    fill_uniform(c.x->value, &rng, -2.0f, 2.0f);
    fill_uniform(c.target, &rng, 0.0f, 1.0f);
    return c;
}

static Tensor *build_softmax(Tape *tape, void *context)
{
    return softmax(tape_parameter(tape, ((Case *)context)->x));
}

static Tensor *build_cross_entropy(Tape *tape, void *context)
{
    return cross_entropy(tape_parameter(tape, ((Case *)context)->x), LABELS);
}

static Tensor *build_mean_squared_error(Tape *tape, void *context)
{
    Case *c = context;
    return mean_squared_error(tape_parameter(tape, c->x), c->target);
}

static Tensor *build_binary_cross_entropy(Tape *tape, void *context)
{
    Case *c = context;
    return binary_cross_entropy(tape_parameter(tape, c->x), c->target);
}

// log Σ_j e^x_j in double precision
static double exact_log_sum(const float *x, int count)
{
    double most = (double)x[0], total = 0;
    for (int j = 1; j < count; j++) most = fmax(most, (double)x[j]);
    for (int j = 0; j < count; j++) total += exp((double)x[j] - most);
    return most + log(total);
}

START_TEST(softmax_and_its_normaliser_equal_the_naive_ones)
{
    Arena *arena = arena_new();
    const int widths[] = {1, 3, 10, 16, 17, 31, 33, 100, 3001};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        Case c = filled_case(arena, 9, widths[w]);
        scale(c.x->value, 20.0f);
        Matrix p = matrix_new(arena, 9, widths[w]), normaliser = matrix_new(arena, 9, 1);
        softmax_rows(p, c.x->value);
        log_sum_exp(normaliser, c.x->value);
        for (int i = 0; i < 9; i++) {
            double exact = exact_log_sum(matrix_row(c.x->value, i), widths[w]);
            ck_assert_msg(fabs((double)normaliser.data[i] - exact) <= 2e-6 * (1 + fabs(exact)),
                          "width %d: got %.9g, expected %.9g", widths[w], (double)normaliser.data[i], exact);
            for (int j = 0; j < widths[w]; j++) {
                double expected = exp((double)AT(c.x->value, i, j) - exact);
                ck_assert_msg(fabs((double)AT(p, i, j) - expected) <= 5e-6 * expected + 1e-37,
                              "width %d, (%d, %d): got %.9g, expected %.9g", widths[w], i, j,
                              (double)AT(p, i, j), expected);
            }
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(huge_scores_neither_overflow_nor_lose_the_loss)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix x = matrix_from(arena, 2, 3, ((float[]){1e30f, -1e30f, 0.0f, 500.0f, 0.0f, -500.0f}));
    Matrix p = matrix_copy(arena, x);
    softmax_rows(p, x);
    ck_assert(AT(p, 0, 0) == 1.0f && AT(p, 0, 1) == 0.0f && AT(p, 1, 0) == 1.0f);
    const int labels[] = {0, 2};
    Tensor *loss = cross_entropy(tape_input(tape, x), labels);
    ck_assert_msg(loss->value.data[0] == 500.0f, "got %g, expected 500 (0 and 1000)",
                  (double)loss->value.data[0]);

    Matrix logits = matrix_from(arena, 1, 2, ((float[]){800.0f, -800.0f})),
           targets = matrix_from(arena, 1, 2, ((float[]){0.0f, 0.0f}));
    Tensor *binary = binary_cross_entropy(tape_input(tape, logits), targets);
    ck_assert_msg(binary->value.data[0] == 400.0f, "got %g, expected 400 (800 and 0)",
                  (double)binary->value.data[0]);

    for (int width = 1; width < 70; width++) { // wherever the largest stands
        Matrix row = matrix_new(arena, 1, width);
        for (int j = 0; j < width; j++) {
            fill(row, -1000.0f);
            row.data[j] = 1000.0f;
            softmax_rows(row, row);
            ck_assert_msg(row.data[j] == 1.0f, "width %d, column %d: got %g, expected 1", width, j,
                          (double)row.data[j]);
        }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(losses_equal_their_definitions)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = filled_case(arena, N, K);
    double entropy = 0, squares = 0, binary = 0;
    for (int i = 0; i < N; i++) {
        if (LABELS[i] != LABEL_IGNORED)
            entropy += (exact_log_sum(matrix_row(c.x->value, i), K) - (double)AT(c.x->value, i, LABELS[i])) /
                       (N - 1);
        for (int j = 0; j < K; j++) {
            double x = (double)AT(c.x->value, i, j), t = (double)AT(c.target, i, j), s = 1 / (1 + exp(-x));
            squares += (x - t) * (x - t) / (N * K);
            binary -= (t * log(s) + (1 - t) * log(1 - s)) / (N * K);
        }
    }
    struct {
        const char *name;
        Tensor *loss;
        double expected;
    } checks[] = {{"cross-entropy", build_cross_entropy(tape, &c), entropy},
                  {"squared error", build_mean_squared_error(tape, &c), squares},
                  {"binary cross-entropy", build_binary_cross_entropy(tape, &c), binary}};
    for (int i = 0; i < 3; i++)
        ck_assert_msg(fabs((double)checks[i].loss->value.data[0] - checks[i].expected) < 1e-6,
                      "%s: got %.8g, expected %.8g", checks[i].name, (double)checks[i].loss->value.data[0],
                      checks[i].expected);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(long_losses_keep_their_digits)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = filled_case(arena, 331, 307); // 101617 elements: many blocks and a rest
    double squares = 0;
    for (size_t i = 0; i < matrix_size(c.target); i++) {
        double d = (double)c.x->value.data[i] - (double)c.target.data[i];
        squares += d * d / (double)matrix_size(c.target);
    }
    double got = (double)build_mean_squared_error(tape, &c)->value.data[0];
    ck_assert_msg(fabs(got - squares) < 1e-6 * squares, "got %.9g, expected %.9g", got, squares);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_softmax)
{
    Arena *arena = arena_new();
    const char *name = "x";
    const int widths[] = {3, 18, 35};
    for (int w = 0; w < 3; w++) {
        Case c = filled_case(arena, 3, widths[w]);
        check_operation(build_softmax, &c, &c.x, &name, 1, 1e-3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_cross_entropy)
{
    Arena *arena = arena_new();
    const char *name = "logits";
    Case c = filled_case(arena, N, K);
    check_operation(build_cross_entropy, &c, &c.x, &name, 1, 1e-3);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_squared_error_and_binary_cross_entropy)
{
    Arena *arena = arena_new();
    const char *name = "prediction";
    Case c = filled_case(arena, 3, 5);
    check_operation(build_mean_squared_error, &c, &c.x, &name, 1, 1e-3);
    check_operation(build_binary_cross_entropy, &c, &c.x, &name, 1, 1e-3);
    arena_free(arena);
}
END_TEST

START_TEST(an_ignored_row_gets_no_gradient)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = filled_case(arena, N, K);
    backward(build_cross_entropy(tape, &c));
    for (int j = 0; j < K; j++) ck_assert(AT(c.x->gradient, 3, j) == 0.0f && AT(c.x->gradient, 2, j) != 0.0f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(accuracy_counts_the_right_rows)
{
    Arena *arena = arena_new();
    Matrix scores = matrix_from(arena, 4, 2, ((float[]){1, 0, 0, 1, 1, 0, 2, 3}));
    const int labels[] = {0, 1, 1, 1};
    ck_assert(accuracy(scores, labels) == 0.75);
    arena_free(arena);
}
END_TEST

static void label_out_of_range(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    const int labels[] = {0, 3};
    cross_entropy(tape_input(tape_new(), matrix_new(arena, 2, 3)), labels);
}

static void all_ignored(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    const int labels[] = {LABEL_IGNORED, LABEL_IGNORED};
    cross_entropy(tape_input(tape_new(), matrix_new(arena, 2, 3)), labels);
}

START_TEST(labels_are_checked)
{
    expect_death(label_out_of_range, NULL, "label 3 (row 1) for 3 classes");
    expect_death(all_ignored, NULL, "all ignored");
}
END_TEST

START_TEST(the_log_sum_of_infinities_is_its_limit)
{
    enum { CASES = 9, WIDE = 40 };
    const float inf = INFINITY, rows[CASES][3] = {{-inf, -inf, -inf}, {0, inf, 1},       {-inf, inf, 0},
                                                  {inf, inf, inf},    {-inf, 2, -inf},   {3e38f, -3e38f, 0},
                                                  {inf, NAN, 0},      {NAN, -inf, -inf}, {0, NAN, 1}};
    const double expected[CASES] = {-INFINITY, INFINITY, INFINITY, INFINITY, 2, (double)3e38f, NAN, NAN, NAN};
    Arena *arena = arena_new();
    for (int shift = 0; shift < WIDE - 3; shift++) { // wherever they stand, and alone
        const int width = shift ? WIDE : 3;
        Matrix x = matrix_new(arena, CASES, width), y = matrix_new(arena, CASES, 1);
        fill(x, -inf);
        for (int i = 0; i < CASES; i++)
            for (int j = 0; j < 3; j++) AT(x, i, j + shift) = rows[i][j];
        log_sum_exp(y, x);
        for (int i = 0; i < CASES; i++)
            ck_assert_msg((double)y.data[i] == expected[i] || (isnan(y.data[i]) && isnan(expected[i])),
                          "row %d from column %d: got %g, expected %g", i, shift, (double)y.data[i],
                          expected[i]);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_masked_score_has_no_share_and_undefined_shares_are_not_numbers)
{
    const float inf = INFINITY,
                rows[5][3] = {{0, -inf, 0}, {-inf, -inf, -inf}, {0, inf, 1}, {0, NAN, 1}, {NAN, inf, 0}};
    Arena *arena = arena_new();
    Matrix p = matrix_from(arena, 5, 3, &rows[0][0]);
    softmax_rows(p, p);
    ck_assert(AT(p, 0, 0) == 0.5f && AT(p, 0, 1) == 0.0f && AT(p, 0, 2) == 0.5f);
    for (int i = 1; i < 5; i++)
        for (int j = 0; j < 3; j++) ck_assert_msg(isnan(AT(p, i, j)), "row %d: %g", i, (double)AT(p, i, j));
    Matrix one = matrix_new(arena, 4, 1); // a single column
    fill(one, 3e38f);
    softmax_rows(one, one);
    ck_assert(one.data[0] == 1.0f && one.data[3] == 1.0f);
    arena_free(arena);
}
END_TEST

START_TEST(the_loss_of_a_sure_right_answer_keeps_its_digits)
{
    Arena *arena = arena_new();
    const int widths[] = {2, 3, 16, 17, 100};
    for (int w = 0; w < 5; w++) {
        for (float score = 0.5f; score < 90.0f; score += 0.5f) {
            const int width = widths[w], label = (int)score % width;
            Matrix x = matrix_new(arena, 1, width), p = matrix_new(arena, 1, width),
                   loss = matrix_new(arena, 1, 1);
            x.data[label] = score;
            const double got = (double)cross_entropy_forward(p, loss, x, &label),
                         expected = log1p((width - 1) * exp(-(double)score));
            ck_assert_msg(fabs(got / expected - 1) < 1e-5, "%d columns, %g: got %g, expected %g", width,
                          (double)score, got, expected);
            ck_assert(fabsf(p.data[label] - (float)exp(-expected)) < 1e-6f);
        }
    }
    arena_free(arena);
}
END_TEST

START_TEST(binary_cross_entropy_keeps_its_digits_however_sure_it_is)
{
    const float targets[] = {0.0f, 1.0f, 0.25f, 1e-6f};
    for (int t = 0; t < 4; t++) {
        for (float logit = -85.0f; logit <= 85.0f; logit += 0.5f) {
            const double x = (double)logit, y = (double)targets[t], small = log1p(exp(-fabs(x)));
            const double loss = y * (x > 0 ? small : small - x) + (1 - y) * (x > 0 ? x + small : small);
            const double slope = (1 - y) / (1 + exp(-x)) - y / (1 + exp(x));
            float d = 0.0f, target = targets[t], held = logit;
            Matrix d_x = matrix_view(1, 1, &d), at = matrix_view(1, 1, &held),
                   goal = matrix_view(1, 1, &target);
            const double got = (double)binary_cross_entropy_forward(at, goal);
            binary_cross_entropy_backward(d_x, 1.0f, at, goal);
            ck_assert_msg(fabs(got - loss) <= 1e-6 * loss, "%g, target %g: got %g, expected %g", x, y, got,
                          loss);
            const double bound = y == 0 || y == 1 ? 1e-6 * fabs(slope) : 2e-7;
            ck_assert_msg(fabs((double)d - slope) <= bound, "slope at %g, target %g: got %g, expected %g", x,
                          y, (double)d, slope);
        }
    }
    float out[] = {INFINITY, -INFINITY}, right[] = {1, 0}, wrong[] = {0, 1}, d[2] = {0};
    Matrix far = matrix_view(1, 2, out);
    ck_assert(binary_cross_entropy_forward(far, matrix_view(1, 2, right)) == 0.0f);
    ck_assert(binary_cross_entropy_forward(far, matrix_view(1, 2, wrong)) == INFINITY);
    binary_cross_entropy_backward(matrix_view(1, 2, d), 2.0f, far, matrix_view(1, 2, wrong));
    ck_assert(d[0] == 1.0f && d[1] == -1.0f);
}
END_TEST

START_TEST(a_row_with_a_nan_is_never_right)
{
    for (int cols = 1; cols < 40; cols++) {
        for (int label = 0; label < cols; label++) {
            float scores[40];
            for (int j = 0; j < cols; j++) scores[j] = NAN;
            ck_assert(accuracy(matrix_view(1, cols, scores), &label) == 0.0);
            for (int j = 0; j < cols; j++) scores[j] = j == label ? 9.0f : -INFINITY;
            ck_assert(accuracy(matrix_view(1, cols, scores), &label) == 1.0);
            scores[cols - 1 - label / 2] = NAN;
            ck_assert(accuracy(matrix_view(1, cols, scores), &label) == 0.0);
        }
    }
    float scores[] = {1, 2, 2, 5, 0, 0, 7, 7, 7}; // the first of equals; the last row does not count
    const int labels[] = {1, 0, LABEL_IGNORED};
    ck_assert(accuracy(matrix_view(3, 3, scores), labels) == 1.0);
}
END_TEST

static void accuracy_out_of_range(void *context)
{
    const int labels[] = {0, 7};
    accuracy(matrix_view(2, 3, context), labels);
}

static void accuracy_of_nothing(void *context)
{
    const int labels[] = {LABEL_IGNORED, LABEL_IGNORED};
    accuracy(matrix_view(2, 3, context), labels);
}

static void plain_label_out_of_range(void *context)
{
    const int labels[] = {2, -2};
    float p[6], losses[2];
    cross_entropy_forward(matrix_view(2, 3, p), matrix_view(2, 1, losses), matrix_view(2, 3, context),
                          labels);
}

static void plain_backward_out_of_range(void *context)
{
    const int labels[] = {3, 0};
    float d[6] = {0};
    cross_entropy_backward(matrix_view(2, 3, d), 1.0f, matrix_view(2, 3, context), labels);
}

START_TEST(labels_without_a_class_are_named_everywhere)
{
    float x[6] = {0};
    expect_death(accuracy_out_of_range, x, "accuracy: label 7 (row 1) for 3 classes");
    expect_death(accuracy_of_nothing, x, "accuracy: 2 rows, all ignored");
    expect_death(plain_label_out_of_range, x, "cross_entropy_forward: label -2 (row 1) for 3 classes");
    expect_death(plain_backward_out_of_range, x, "cross_entropy_backward: label 3 (row 0) for 3 classes");
}
END_TEST

START_TEST(a_mean_that_is_a_float_is_found_where_the_sum_is_none)
{
    enum { COUNT = 2000 };
    static float far[COUNT], zeros[COUNT];
    for (int i = 0; i < COUNT; i++) far[i] = 4e18f;
    const Matrix x = matrix_view(COUNT, 1, far), target = matrix_view(COUNT, 1, zeros);
    ck_assert_double_eq_tol((double)mean_squared_error_forward(x, target) / 1.6e37, 1.0, 1e-6);
    for (int i = 0; i < COUNT; i++) far[i] = i ? 0.0f : 3e19f; // the square is no float either
    ck_assert_double_eq_tol((double)mean_squared_error_forward(x, target) / 4.5e35, 1.0, 1e-6);
    for (int i = 0; i < COUNT; i++) far[i] = 1e38f;
    ck_assert_double_eq_tol((double)binary_cross_entropy_forward(x, target) / 1e38, 1.0, 1e-6);
    far[7] = INFINITY;
    ck_assert(isinf(mean_squared_error_forward(x, target)) && isinf(binary_cross_entropy_forward(x, target)));
    far[7] = NAN;
    ck_assert(isnan(mean_squared_error_forward(x, target)) && isnan(binary_cross_entropy_forward(x, target)));
}
END_TEST

SUITE("loss", softmax_and_its_normaliser_equal_the_naive_ones, huge_scores_neither_overflow_nor_lose_the_loss,
      losses_equal_their_definitions, long_losses_keep_their_digits, gradients_of_softmax,
      gradients_of_cross_entropy, gradients_of_squared_error_and_binary_cross_entropy,
      an_ignored_row_gets_no_gradient, accuracy_counts_the_right_rows, labels_are_checked,
      the_log_sum_of_infinities_is_its_limit,
      a_masked_score_has_no_share_and_undefined_shares_are_not_numbers,
      the_loss_of_a_sure_right_answer_keeps_its_digits,
      binary_cross_entropy_keeps_its_digits_however_sure_it_is, a_row_with_a_nan_is_never_right,
      labels_without_a_class_are_named_everywhere, a_mean_that_is_a_float_is_found_where_the_sum_is_none)
