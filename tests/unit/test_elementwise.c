// Arithmetic between tensors: values against double precision, where slopes do not exist, and gradients.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/elementwise.h"
#include <math.h>

typedef struct {
    Tensor *a, *b;
    int which;
} Case;

enum {
    DIVIDE,
    MINIMUM,
    MULTIPLY_COLUMN,
    MULTIPLY_ROW,
    SCALE_BY,
    LOGARITHM,
    SQUARE_ROOT,
    CLAMP,
    NORMALISE,
    KINDS
};
static const char *const NAMES[] = {"tensor_divide",       "tensor_minimum", "tensor_multiply_column",
                                    "tensor_multiply_row", "scale_by",       "logarithm",
                                    "square_root",         "tensor_clamp",   "normalise_rows"};
static const float LOW = -0.7f, HIGH = 1.1f, EPSILON = 0.5f;

static Tensor *build(Tape *tape, void *context)
{
    const Case *c = context;
    Tensor *a = tape_parameter(tape, c->a), *b = tape_parameter(tape, c->b);
    switch (c->which) {
    case DIVIDE:
        return tensor_divide(a, b);
    case MINIMUM:
        return tensor_minimum(a, b);
    case MULTIPLY_COLUMN:
        return tensor_multiply_column(a, b);
    case MULTIPLY_ROW:
        return tensor_multiply_row(a, b);
    case SCALE_BY:
        return scale_by(a, b);
    case LOGARITHM:
        return logarithm(a);
    case SQUARE_ROOT:
        return square_root(a);
    case CLAMP:
        return tensor_clamp(a, LOW, HIGH);
    default:
        return normalise_rows(a, EPSILON);
    }
}

// The operand that an operation wants beside x (rows × cols), away from 0 and from x itself.
static Case case_of(Arena *arena, int which, int rows, int cols)
{
    const bool by_row = which == MULTIPLY_COLUMN || which == SCALE_BY, by_column = which == MULTIPLY_ROW;
    Case c = {parameter_new(arena, rows, cols),
              parameter_new(arena, by_column || which == SCALE_BY ? 1 : rows, by_row ? 1 : cols), which};
    Rng rng = rng_new(4, (uint64_t)which);
    const bool positive = which == LOGARITHM || which == SQUARE_ROOT;
    fill_uniform(c.a->value, &rng, positive ? 0.5f : -2.0f, 2.0f);
    fill_uniform(c.b->value, &rng, 0.5f, 2.0f);
    for (size_t i = 0; i < matrix_size(c.a->value); i++) {
        float *x = &c.a->value.data[i];
        // a kink within the step of the gradient check would be no fault of the slope
        if (which == CLAMP && (fabsf(*x - LOW) < 0.05f || fabsf(*x - HIGH) < 0.05f)) *x += 0.2f;
        if (which == MINIMUM && fabsf(*x - c.b->value.data[i]) < 0.05f) *x += 0.2f;
    }
    return c;
}

static double exact(const Case *c, int i, int j)
{
    const Matrix a = c->a->value, b = c->b->value;
    const double x = (double)AT(a, i, j);
    double squares = 0.0;
    switch (c->which) {
    case DIVIDE:
        return x / (double)AT(b, i, j);
    case MINIMUM:
        return fmin(x, (double)AT(b, i, j));
    case MULTIPLY_COLUMN:
        return x * (double)b.data[i];
    case MULTIPLY_ROW:
        return x * (double)b.data[j];
    case SCALE_BY:
        return x * (double)b.data[0];
    case LOGARITHM:
        return log(x);
    case SQUARE_ROOT:
        return sqrt(x);
    case CLAMP:
        return fmin(fmax(x, (double)LOW), (double)HIGH);
    default:
        for (int k = 0; k < a.cols; k++) squares += (double)AT(a, i, k) * (double)AT(a, i, k);
        return x / fmax(sqrt(squares), (double)EPSILON);
    }
}

START_TEST(values_are_those_of_double_precision)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const int sizes[][2] = {{1, 1}, {3, 17}, {40, 5}, {200, 300}};
    for (int which = 0; which < KINDS; which++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            Case c = case_of(arena, which, sizes[s][0], sizes[s][1]);
            const Tensor *y = build(tape, &c);
            for (int i = 0; i < y->value.rows; i++)
                for (int j = 0; j < y->value.cols; j++) {
                    const double expected = exact(&c, i, j), got = (double)AT(y->value, i, j);
                    ck_assert_msg(fabs(got - expected) <= 2e-6 * (fabs(expected) + 1e-3),
                                  "%s (%d, %d): got %.9g, expected %.9g", NAMES[which], i, j, got, expected);
                }
            tape_reset(tape);
        }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_are_right_and_wrong_ones_are_caught)
{
    Arena *arena = arena_new();
    for (int which = 0; which < KINDS; which++) {
        Case c = case_of(arena, which, 5, 7);
        Tensor *const tensors[] = {c.a, c.b};
        const char *const names[] = {"a", "b"};
        check_operation(build, &c, tensors, names, which < LOGARITHM ? 2 : 1, 1e-2);
    }
    arena_free(arena);
}
END_TEST

static Matrix gradient_of(Tape *tape, const Case *c)
{
    c->a->has_gradient = c->b->has_gradient = false;
    Tensor *y = build(tape, (void *)(uintptr_t)c);
    Matrix ones = matrix_new(tape_arena(tape), y->value.rows, y->value.cols);
    fill(ones, 1.0f);
    backward_from(y, ones);
    return c->a->gradient;
}

START_TEST(where_there_is_no_slope_it_is_the_one_that_is_told)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = case_of(arena, CLAMP, 1, 3);
    memcpy(c.a->value.data, (float[]){LOW, HIGH, 5.0f}, 3 * sizeof(float));
    Matrix d = gradient_of(tape, &c);
    ck_assert(d.data[0] == 1.0f && d.data[1] == 1.0f && d.data[2] == 0.0f);

    c = case_of(arena, MINIMUM, 1, 2);
    memcpy(c.a->value.data, (float[]){1.0f, 2.0f}, 2 * sizeof(float));
    memcpy(c.b->value.data, (float[]){1.0f, 1.0f}, 2 * sizeof(float));
    d = gradient_of(tape, &c);
    ck_assert(d.data[0] == 1.0f && d.data[1] == 0.0f);
    ck_assert(c.b->gradient.data[0] == 0.0f && c.b->gradient.data[1] == 1.0f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(extremes_stay_themselves)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, 4, 2), y = matrix_new(arena, 4, 2), lengths = matrix_new(arena, 4, 1);
    memcpy(x.data, (float[]){3e38f, 3e38f, 0.0f, 0.0f, 1e-30f, 0.0f, NAN, 1.0f}, 8 * sizeof(float));
    normalise_rows_forward(y, lengths, x, 1e-12f);
    ck_assert_msg(fabsf(y.data[0] - 0.70710678f) < 1e-6f || isinf(lengths.data[0]), "got %g",
                  (double)y.data[0]);
    ck_assert(y.data[2] == 0.0f && y.data[3] == 0.0f);
    ck_assert(y.data[4] == 1e-30f / 1e-12f); // shorter than ε
    ck_assert(isnan(y.data[6]) && isnan(y.data[7]));
    normalise_rows_forward(y, lengths, x, 0.0f);
    ck_assert_msg(y.data[4] == 1.0f, "got %g", (double)y.data[4]);

    Matrix nan = matrix_new(arena, 1, 2), one = matrix_new(arena, 1, 2), out = matrix_new(arena, 1, 2);
    fill(one, 1.0f);
    memcpy(nan.data, (float[]){NAN, INFINITY}, 2 * sizeof(float));
    minimum_forward(out, nan, one);
    ck_assert(isnan(out.data[0]) && out.data[1] == 1.0f);
    minimum_forward(out, one, nan);
    ck_assert(isnan(out.data[0]) && out.data[1] == 1.0f);
    clamp_forward(out, nan, 0.0f, 2.0f);
    ck_assert(isnan(out.data[0]) && out.data[1] == 2.0f);
    arena_free(arena);
}
END_TEST

typedef struct {
    int which, rows, cols, other_rows, other_cols;
} Shapes;

static void build_shapes(void *context)
{
    const Shapes *s = context;
    Arena *arena = arena_new();
    Case c = {parameter_new(arena, s->rows, s->cols), parameter_new(arena, s->other_rows, s->other_cols),
              s->which};
    build(tape_new(), &c);
}

START_TEST(shapes_that_do_not_fit_are_named)
{
    static const struct {
        Shapes shapes;
        const char *words;
    } cases[] = {{{DIVIDE, 2, 3, 3, 2}, "tensor_divide: (2 × 3) and (3 × 2)"},
                 {{MINIMUM, 2, 3, 2, 1}, "tensor_minimum: (2 × 3) and (2 × 1)"},
                 {{MULTIPLY_COLUMN, 2, 3, 3, 1}, "tensor_multiply_column: x (2 × 3), factors (3 × 1)"},
                 {{MULTIPLY_ROW, 2, 3, 1, 2}, "tensor_multiply_row: x (2 × 3), factors (1 × 2)"},
                 {{SCALE_BY, 2, 3, 2, 1}, "scale_by: the factor is (2 × 1)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_death(build_shapes, (void *)(uintptr_t)&cases[i].shapes, cases[i].words);
}
END_TEST

SUITE("elementwise", values_are_those_of_double_precision, gradients_are_right_and_wrong_ones_are_caught,
      where_there_is_no_slope_it_is_the_one_that_is_told, extremes_stay_themselves,
      shapes_that_do_not_fit_are_named)
