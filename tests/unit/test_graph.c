// Sparse matrices and what a graph network does with them: against dense ones, and their gradients.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/graph.h"
#include <math.h>

// count elements in random places of (rows × cols), some of them twice.
static Sparse random_sparse(Arena *arena, int rows, int cols, int count, uint64_t seed)
{
    Rng rng = rng_new(seed, 0);
    int *row = arena_alloc(arena, (size_t)count, sizeof *row);
    int *column = arena_alloc(arena, (size_t)count, sizeof *column);
    float *value = arena_alloc(arena, (size_t)count, sizeof *value);
    for (int k = 0; k < count; k++) {
        row[k] = (int)rng_below(&rng, (uint32_t)rows);
        column[k] = (int)rng_below(&rng, (uint32_t)cols);
        value[k] = rng_uniform(&rng) - 0.5f;
    }
    return sparse_new(arena, rows, cols, count, row, column, value);
}

START_TEST(a_list_becomes_rows_in_order_and_equals_are_added_up)
{
    Arena *arena = arena_new();
    const int row[] = {2, 0, 2, 0, 2}, column[] = {1, 3, 0, 3, 1};
    const float value[] = {1, 2, 3, 4, 5};
    const Sparse s = sparse_new(arena, 4, 5, 5, row, column, value);
    ck_assert_int_eq(s.count, 3);
    ck_assert_mem_eq(s.start, ((const int[]){0, 1, 1, 3, 3}), 5 * sizeof(int));
    ck_assert_mem_eq(s.column, ((const int[]){3, 0, 1}), 3 * sizeof(int));
    ck_assert_mem_eq(s.value, ((const float[]){6, 3, 6}), 3 * sizeof(float));
    const Sparse ones = sparse_new(arena, 4, 5, 5, row, column, NULL);
    ck_assert_mem_eq(ones.value, ((const float[]){2, 1, 2}), 3 * sizeof(float));
    const Sparse empty = sparse_new(arena, 3, 2, 0, NULL, NULL, NULL);
    ck_assert_int_eq(empty.start[3], 0);
    arena_free(arena);
}
END_TEST

START_TEST(products_are_those_of_the_dense_matrix)
{
    Arena *arena = arena_new();
    const int sizes[][4] = {{1, 1, 1, 1},     {7, 5, 12, 3},     {5, 60, 200, 17},  {400, 300, 3000, 20},
                            {40, 40, 300, 7}, {40, 40, 300, 16}, {40, 50, 300, 33}, {40, 50, 300, 64},
                            {9, 9, 0, 5},     {40, 50, 300, 70}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int rows = sizes[k][0], cols = sizes[k][1], width = sizes[k][3];
        const Sparse s = random_sparse(arena, rows, cols, sizes[k][2], k);
        const Matrix dense = sparse_to_matrix(arena, s),
                     back = sparse_to_matrix(arena, sparse_transpose(arena, s));
        Matrix m = matrix_new(arena, cols, width), got = matrix_new(arena, rows, width);
        Rng rng = rng_new(9, k);
        fill_normal(m, &rng, 0, 1);
        sparse_matmul(got, s, m);
        sparse_matmul_add(got, s, m);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < cols; j++) ck_assert(AT(dense, i, j) == AT(back, j, i));
            for (int j = 0; j < width; j++) {
                double expected = 0.0;
                for (int l = 0; l < cols; l++)
                    expected += 2.0 * (double)AT(dense, i, l) * (double)AT(m, l, j);
                ck_assert_msg(fabs((double)AT(got, i, j) - expected) <= 1e-5, "(%d, %d): got %g, expected %g",
                              i, j, (double)AT(got, i, j), expected);
            }
        }
    }
    arena_free(arena);
}
END_TEST

typedef struct {
    Tensor *x;
    SparseOperator s;
} Case;
static const int IDS[6] = {2, 0, 2, 4, 0, 2};

static Tensor *build_product(Tape *tape, void *context)
{
    const Case *c = context;
    return sparse_product(&c->s, tape_parameter(tape, c->x));
}
static Tensor *build_sums(Tape *tape, void *context)
{
    return segment_sums(tape_parameter(tape, ((Case *)context)->x), IDS, 5);
}

START_TEST(gradients_are_right_and_wrong_ones_are_caught)
{
    Arena *arena = arena_new();
    Case c = {parameter_new(arena, 6, 3), sparse_operator(arena, random_sparse(arena, 4, 6, 11, 3))};
    Rng rng = rng_new(5, 0);
    fill_normal(c.x->value, &rng, 0, 1);
    check_operation(build_product, &c, (Tensor *const[]){c.x}, (const char *const[]){"x"}, 1, 1e-2);
    check_operation(build_sums, &c, (Tensor *const[]){c.x}, (const char *const[]){"x"}, 1, 1e-2);
    arena_free(arena);
}
END_TEST

START_TEST(segments_add_their_rows_and_distinct_ids_scatter)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix x = matrix_new(arena, 6, 2);
    for (int i = 0; i < 12; i++) x.data[i] = (float)i;
    const Tensor *sums = segment_sums(tape_input(tape, x), IDS, 5);
    const float expected[] = {10, 12, 0, 0, 14, 17, 0, 0, 6, 7};
    ck_assert_mem_eq(sums->value.data, expected, sizeof expected);
    const int places[] = {5, 0, 4, 1, 3, 2};
    const Tensor *moved = segment_sums(tape_input(tape, x), places, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_mem_eq(matrix_row(moved->value, places[i]), matrix_row(x, i), 2 * sizeof(float));
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void put_outside(void *unused)
{
    (void)unused;
    sparse_new(arena_new(), 2, 3, 1, (int[]){2}, (int[]){0}, NULL);
}
static void multiply_wrong(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    const SparseOperator s = sparse_operator(arena, sparse_new(arena, 2, 3, 0, NULL, NULL, NULL));
    sparse_product(&s, tape_input(tape_new(), matrix_new(arena, 2, 4)));
}
static void name_no_segment(void *unused)
{
    (void)unused;
    segment_sums(tape_input(tape_new(), matrix_new(arena_new(), 2, 4)), ((int[]){0, 3}), 3);
}

START_TEST(what_does_not_fit_is_named)
{
    expect_death(put_outside, NULL, "element 0 at (2, 0) of (2 × 3)");
    expect_death(multiply_wrong, NULL, "sparse_product: (2 × 3) · (2 × 4)");
    expect_death(name_no_segment, NULL, "id 3 (row 1) of 3 segments");
}
END_TEST

SUITE("graph", a_list_becomes_rows_in_order_and_equals_are_added_up, products_are_those_of_the_dense_matrix,
      gradients_are_right_and_wrong_ones_are_caught, segments_add_their_rows_and_distinct_ids_scatter,
      what_does_not_fit_is_named)
