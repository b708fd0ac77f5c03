// Sums, slices, reductions, dropout: values and gradients.
#include "suite.h"
#include "base/parallel.h"
#include "gradients.h"
#include "learning/ops/shape.h"
#include <math.h>

typedef struct {
    Tensor *a, *b;
    int kind;
} Case;

static Case filled_case(Arena *arena, int a_rows, int a_cols, int b_rows, int b_cols)
{
    Case c = {parameter_new(arena, a_rows, a_cols), parameter_new(arena, b_rows, b_cols), 0};
    Rng rng = rng_new(13, 0);
    fill_uniform(c.a->value, &rng, -2.0f, 2.0f);
    fill_uniform(c.b->value, &rng, -2.0f, 2.0f);
    return c;
}

enum { ADD, SUBTRACT, MULTIPLY, CONCAT_COLUMNS, CONCAT_ROWS };

static Tensor *build_pair(Tape *tape, void *context)
{
    Case *c = context;
    Tensor *a = tape_parameter(tape, c->a);
    switch (c->kind) {
    case ADD:
        return tensor_add(a, c->b);
    case SUBTRACT:
        return tensor_subtract(a, c->b);
    case MULTIPLY:
        return tensor_multiply(a, c->b);
    case CONCAT_COLUMNS:
        return concat_columns(a, c->b);
    default:
        return concat_rows(a, c->b);
    }
}

enum { SCALE, SLICE_COLUMNS, SLICE_ROWS, RESHAPE, SUM, MEAN, ROW_MEANS, COLUMN_MEANS, DROPOUT, SINGLE_KINDS };

static Tensor *build_single(Tape *tape, void *context)
{
    Case *c = context;
    Tensor *a = tape_parameter(tape, c->a);
    Rng rng = rng_new(2, 2); // the same mask each time
    switch (c->kind) {
    case SCALE:
        return tensor_scale(a, -1.5f);
    case SLICE_COLUMNS:
        return slice_columns(a, 2, 3);
    case SLICE_ROWS:
        return slice_rows(a, 1, 3);
    case RESHAPE:
        return tensor_reshape(a, 7, 5);
    case SUM:
        return sum_all(a);
    case MEAN:
        return mean_all(a);
    case ROW_MEANS:
        return tensor_row_means(a);
    case COLUMN_MEANS:
        return tensor_column_means(a);
    default:
        return dropout(a, 0.4f, &rng, true);
    }
}

static const char *const NAMES[] = {"a", "b"};

START_TEST(gradients_of_pairs)
{
    Arena *arena = arena_new();
    const int b_shapes[][2] = {{5, 7}, {5, 7}, {5, 7}, {5, 3}, {2, 7}};
    for (int kind = ADD; kind <= CONCAT_ROWS; kind++) {
        Case c = filled_case(arena, 5, 7, b_shapes[kind][0], b_shapes[kind][1]);
        c.kind = kind;
        check_operation(build_pair, &c, (Tensor *[]){c.a, c.b}, NAMES, 2, 1e-3);
    }
    Case row = filled_case(arena, 5, 7, 1, 7);
    check_operation(build_pair, &row, (Tensor *[]){row.a, row.b}, NAMES, 2, 1e-3);
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_single_inputs)
{
    Arena *arena = arena_new();
    for (int kind = 0; kind < SINGLE_KINDS; kind++) {
        Case c = filled_case(arena, 5, 7, 1, 1);
        c.kind = kind;
        check_operation(build_single, &c, &c.a, NAMES, 1, 1e-3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(values_are_where_they_belong)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *a = tape_input(tape, matrix_from(arena, 2, 3, ((float[]){1, 2, 3, 4, 5, 6})));
    Tensor *b = tape_input(tape, matrix_from(arena, 2, 1, ((float[]){7, 8})));
    Tensor *row = tape_input(tape, matrix_from(arena, 1, 3, ((float[]){10, 20, 30})));
    struct {
        Tensor *got;
        int rows, cols;
        float expected[9];
    } checks[] = {
        {concat_columns(a, b), 2, 4, {1, 2, 3, 7, 4, 5, 6, 8}},
        {concat_rows(a, row), 3, 3, {1, 2, 3, 4, 5, 6, 10, 20, 30}},
        {slice_columns(a, 1, 2), 2, 2, {2, 3, 5, 6}},
        {slice_rows(a, 1, 1), 1, 3, {4, 5, 6}},
        {tensor_reshape(a, 3, 2), 3, 2, {1, 2, 3, 4, 5, 6}},
        {tensor_add(a, row), 2, 3, {11, 22, 33, 14, 25, 36}},
        {tensor_add(a, a), 2, 3, {2, 4, 6, 8, 10, 12}},
        {tensor_subtract(a, tensor_scale(a, 3)), 2, 3, {-2, -4, -6, -8, -10, -12}},
        {tensor_multiply(a, a), 2, 3, {1, 4, 9, 16, 25, 36}},
        {sum_all(a), 1, 1, {21}},
        {mean_all(a), 1, 1, {3.5}},
        {tensor_row_means(a), 2, 1, {2, 5}},
        {tensor_column_means(a), 1, 3, {2.5, 3.5, 4.5}},
    };
    for (size_t c = 0; c < sizeof checks / sizeof *checks; c++) {
        Matrix got = checks[c].got->value;
        ck_assert_msg(got.rows == checks[c].rows && got.cols == checks[c].cols, "%s: got (%d × %d)",
                      checks[c].got->operation, got.rows, got.cols);
        for (size_t i = 0; i < matrix_size(got); i++)
            ck_assert_msg(got.data[i] == checks[c].expected[i], "%s, element %zu: got %g, expected %g",
                          checks[c].got->operation, i, (double)got.data[i], (double)checks[c].expected[i]);
    }
    ck_assert_msg(checks[3].got->value.data == matrix_row(a->value, 1), "a range of rows is a view");
    ck_assert_msg(checks[4].got->value.data == a->value.data, "a reshape is a view");
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(slices_of_one_tensor_join_their_gradients)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Tensor *a = parameter_new(arena, 2, 3);
    Tensor *x = tape_parameter(tape, a);
    Tensor *twice =
        tensor_add(slice_columns(x, 0, 2), slice_columns(x, 1, 2)); // the middle column counts twice
    backward(sum_all(twice));
    const float expected[] = {1, 2, 1, 1, 2, 1};
    for (int i = 0; i < 6; i++)
        ck_assert_msg(a->gradient.data[i] == expected[i], "element %d: got %g, expected %g", i,
                      (double)a->gradient.data[i], (double)expected[i]);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(dropout_keeps_the_mean_and_the_share)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix ones = matrix_new(arena, 500, 401);
    fill(ones, 1.0f);
    Rng rng = rng_new(1, 1), before = rng;
    Tensor *x = tape_input(tape, ones), *y = dropout(x, 0.25f, &rng, true),
           *next = dropout(x, 0.25f, &rng, true);
    size_t dropped = 0;
    for (size_t i = 0; i < matrix_size(ones); i++) {
        ck_assert(y->value.data[i] == 0.0f || y->value.data[i] == 1.0f / 0.75f);
        dropped += y->value.data[i] == 0.0f;
    }
    double share = (double)dropped / (double)matrix_size(ones),
           deviation = sqrt(0.25 * 0.75 / (double)matrix_size(ones));
    ck_assert_msg(fabs(share - 0.25) < 5 * deviation, "dropped %g of all, expected 0.25 ± %g", share,
                  5 * deviation);
    ck_assert_msg(largest_difference(y->value, next->value) > 0, "two calls must draw two masks");

    // Neighbours along and across the rows are dropped together as often as chance has it.
    int along = 0, across = 0, pairs = 499 * 400;
    for (int i = 0; i < 499; i++) {
        for (int j = 0; j < 400; j++) {
            bool gone = AT(y->value, i, j) == 0.0f;
            along += gone && AT(y->value, i, j + 1) == 0.0f;
            across += gone && AT(y->value, i + 1, j) == 0.0f;
        }
    }
    // Neighbouring pairs share elements: the variance of the count is below that of three times as many draws.
    double chance = 0.0625, spread = 5 * sqrt(3 * chance / pairs);
    ck_assert_msg(fabs((double)along / pairs - chance) < spread, "along rows %g of pairs",
                  (double)along / pairs);
    ck_assert_msg(fabs((double)across / pairs - chance) < spread, "across rows %g of pairs",
                  (double)across / pairs);
    ck_assert(dropout(x, 0.25f, &rng, false) == x);
    ck_assert(dropout(x, 0.0f, &rng, true) == x);

    for (int threads = 1; threads <= 3; threads++) {
        parallel_set_threads(threads);
        Rng again = before;
        ck_assert(largest_difference(dropout(x, 0.25f, &again, true)->value, y->value) == 0.0f);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void add_of_different_shapes(void *context)
{
    (void)context;
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    tensor_add(tape_input(tape, matrix_new(arena, 2, 3)), tape_input(tape, matrix_new(arena, 3, 2)));
}

static void slice_past_the_end(void *context)
{
    (void)context;
    slice_columns(tape_input(tape_new(), matrix_new(arena_new(), 2, 3)), 2, 2);
}

START_TEST(wrong_shapes_stop_with_the_callers_line)
{
    expect_death(add_of_different_shapes, NULL, "tensor_add: (2 × 3) and (3 × 2)");
    expect_death(slice_past_the_end, NULL, "test_shape.c");
}
END_TEST

static void mask_of(void *context)
{
    float data[4];
    Rng rng = rng_new(1, 1);
    dropout_mask(matrix_view(2, 2, data), *(float *)context, &rng);
}

static void dropout_of(void *context)
{
    Rng rng = rng_new(1, 1);
    dropout(tape_input(tape_new(), matrix_new(arena_new(), 2, 2)), *(float *)context, &rng, true);
}

START_TEST(a_probability_that_leaves_nothing_is_refused)
{
    float bad[] = {1.0f, 1.5f, -0.1f, NAN, INFINITY};
    for (int b = 0; b < 5; b++) {
        expect_death(mask_of, &bad[b], "dropout_mask: a probability of");
        expect_death(dropout_of, &bad[b], "dropout: a probability of");
    }
    float kept[4], most = nextafterf(1.0f, 0.0f);
    Rng rng = rng_new(1, 1);
    dropout_mask(matrix_view(2, 2, kept), 0.0f, &rng);
    for (int i = 0; i < 4; i++) ck_assert(kept[i] == 1.0f);
    dropout_mask(matrix_view(2, 2, kept), most, &rng);
    for (int i = 0; i < 4; i++) ck_assert(kept[i] == 0.0f);
}
END_TEST

static void join_too_many(void *context)
{
    const bool rows = *(bool *)context;
    Tape *tape = tape_new();
    Tensor *x = tape_input(tape, matrix_view(rows ? 0x70000000 : 0, rows ? 0 : 0x70000000, NULL));
    if (rows) concat_rows(x, x);
    if (!rows) concat_columns(x, x);
}

START_TEST(joining_more_than_an_int_can_count_is_refused)
{
    bool rows[] = {true, false};
    expect_death(join_too_many, &rows[0], "concat_rows: 1879048192 and 1879048192 rows");
    expect_death(join_too_many, &rows[1], "concat_columns: 1879048192 and 1879048192 columns");
}
END_TEST

START_TEST(the_means_of_huge_numbers_are_numbers)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix m = matrix_new(arena, 6, 6);
    fill(m, 3e38f);
    AT(m, 2, 3) = INFINITY, AT(m, 4, 1) = NAN;
    const Matrix rows = tensor_row_means(tape_input(tape, m))->value;
    const Matrix columns = tensor_column_means(tape_input(tape, m))->value;
    for (int i = 0; i < 6; i++) {
        ck_assert_msg(i == 2   ? isinf(rows.data[i])
                      : i == 4 ? isnan(rows.data[i])
                               : rows.data[i] == 3e38f,
                      "row %d: the mean is %g", i, (double)rows.data[i]);
        ck_assert_msg(i == 3   ? isinf(columns.data[i])
                      : i == 1 ? isnan(columns.data[i])
                               : columns.data[i] == 3e38f,
                      "column %d: the mean is %g", i, (double)columns.data[i]);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

SUITE("shape", gradients_of_pairs, gradients_of_single_inputs, values_are_where_they_belong,
      slices_of_one_tensor_join_their_gradients, dropout_keeps_the_mean_and_the_share,
      wrong_shapes_stop_with_the_callers_line, a_probability_that_leaves_nothing_is_refused,
      joining_more_than_an_int_can_count_is_refused, the_means_of_huge_numbers_are_numbers)
