// Matrices: every operation against a plain twin on odd shapes, the same bits on any number of threads, what
// may work in place, and what a wrong call is told.
#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "matrix/matrix.h"
#include "suite.h"

static Matrix random_matrix(Arena *arena, Rng *rng, int rows, int cols)
{
    Matrix m = matrix_uninitialised(arena, rows, cols);
    fill_normal(m, rng, 0.5f, 2.0f);
    return m;
}

// The same with magnitudes from 2⁻³⁰ to 2³⁰, whose sums in another order have other bits, even in double.
static Matrix wide_matrix(Arena *arena, Rng *rng, int rows, int cols)
{
    Matrix m = random_matrix(arena, rng, rows, cols);
    for (size_t i = 0; i < matrix_size(m); i++) m.data[i] = ldexpf(m.data[i], (int)rng_below(rng, 61) - 30);
    return m;
}

static bool same_bits(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

// Every element has the same bits (two NaNs are the same).
static void expect_equal(const char *what, Matrix got, Matrix expected)
{
    ck_assert_msg(same_shape(got, expected), "%s: got (%d × %d), expected (%d × %d)", what, got.rows,
                  got.cols, expected.rows, expected.cols);
    for (size_t i = 0; i < matrix_size(got); i++) {
        float a = got.data[i], b = expected.data[i];
        if (!same_bits(a, b) && !(isnan(a) && isnan(b)))
            ck_abort_msg("%s of (%d × %d): element %zu: got %.9g, expected %.9g", what, got.rows, got.cols, i,
                         (double)a, (double)b);
    }
}

// A sum may differ by the rounding to float and, through its order, by a little in double.
static void expect_sum(const char *what, int rows, int cols, double got, double expected, double magnitude)
{
    double bound = 0x1p-24 * fabs(expected) + 1e-12 * magnitude;
    ck_assert_msg(fabs(got - expected) <= bound, "%s of (%d × %d): got %.12g, expected %.12g ± %.2g", what,
                  rows, cols, got, expected, bound);
}

// Shapes: many small and odd ones, then some large enough for several threads, lanes and chunks.
enum { SHAPES = 120 };
static void shape_number(int number, Rng *rng, int *rows, int *cols)
{
    static const int large[][2] = {{1, 40001}, {40001, 1}, {181, 191}, {4097, 9},
                                   {33, 1001}, {0, 5},     {5, 0},     {0, 0}};
    int i = number - (SHAPES - 8);
    *rows = i >= 0 ? large[i][0] : 1 + (int)rng_below(rng, 40);
    *cols = i >= 0 ? large[i][1] : 1 + (int)rng_below(rng, 70);
}

#define FOR_SHAPES(rows, cols)                                                                               \
    Rng rng = rng_new(1, 0);                                                                                 \
    for (int shape_ = 0, rows, cols; shape_ < SHAPES && (shape_number(shape_, &rng, &rows, &cols), true);    \
         shape_++)

// ---- Making matrices and views ----------------------------------------------------------------------------

START_TEST(a_new_matrix_is_all_zeros_in_memory_that_was_used_before)
{
    Arena *arena = arena_new();
    fill(matrix_new(arena, 7, 9), 3.0f);
    arena_reset(arena);
    Matrix m = matrix_new(arena, 9, 7);
    ck_assert_int_eq(m.rows, 9);
    ck_assert_int_eq(m.cols, 7);
    for (size_t i = 0; i < 63; i++) ck_assert_float_eq(m.data[i], 0.0f);
    arena_free(arena);
}
END_TEST

START_TEST(element_i_j_is_data_i_cols_plus_j)
{
    float data[6] = {1, 2, 3, 4, 5, 6};
    Matrix m = matrix_view(2, 3, data);
    ck_assert_float_eq(AT(m, 1, 0), 4.0f);
    AT(m, 1, 2) = 60.0f;
    ck_assert_float_eq(data[5], 60.0f);
    ck_assert_ptr_eq(matrix_row(m, 1), data + 3);
    ck_assert_uint_eq(matrix_size((Matrix){INT_MAX, INT_MAX, NULL}), (size_t)INT_MAX * INT_MAX);
}
END_TEST

START_TEST(rows_and_reshapes_are_views_and_copies_are_not)
{
    Arena *arena = arena_new();
    float values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    Matrix m = matrix_from(arena, 4, 3, values), twin = matrix_copy(arena, m);
    Matrix middle = matrix_rows(m, 1, 2), flat = matrix_reshape(m, 2, 6);
    fill(middle, -1.0f);
    ck_assert_int_eq(middle.rows, 2);
    ck_assert_int_eq(middle.cols, 3);
    float expected[12] = {0, 1, 2, -1, -1, -1, -1, -1, -1, 9, 10, 11};
    expect_equal("through the view", m, matrix_view(4, 3, expected));
    expect_equal("through the reshape", flat, matrix_view(2, 6, expected));
    expect_equal("the copy", twin, matrix_view(4, 3, values));
    ck_assert_float_eq(values[3], 3.0f);
    ck_assert_int_eq(matrix_rows(m, 4, 0).rows, 0);
    ck_assert_int_eq(matrix_rows(m, 0, 4).rows, 4);
    arena_free(arena);
}
END_TEST

static void print_some(void *context)
{
    float data[] = {1.0f, -2.5f, 1234.567f, 0.0f, -NAN, INFINITY};
    matrix_print(stdout, context, matrix_view(2, 3, data), 2);
    matrix_print(stdout, "large", matrix_new(arena_new(), 9, 10), 0);
}

START_TEST(printing_shows_the_shape_and_at_most_eight_rows_and_columns)
{
    int status;
    const char *text = stdout_of(print_some, "x", &status),
               *row = "     0     0     0     0     0     0     0     0 …\n";
    char expected[1000] = "x (2 × 3)\n    1.00   -2.50 1234.57\n    0.00     nan     inf\nlarge (9 × 10)\n";
    for (int i = 0; i < 8; i++) strcat(expected, row);
    strcat(expected, "  ⋮\n");
    ck_assert_str_eq(text, expected);
}
END_TEST

// ---- Filling ----------------------------------------------------------------------------------------------

START_TEST(filling_draws_in_memory_order)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(2, 0), twin = rng, third = rng;
    Matrix uniform = matrix_new(arena, 7, 13), expected = matrix_new(arena, 7, 13);
    fill_uniform(uniform, &rng, -2.0f, 5.0f);
    for (size_t i = 0; i < 91; i++) expected.data[i] = rng_between(&twin, -2.0f, 5.0f);
    expect_equal("fill_uniform", uniform, expected);
    ck_assert_uint_eq(rng.state, twin.state);

    fill_normal(uniform, &rng, 3.0f, 0.25f);
    rng_normals(&twin, expected.data, 91);
    for (size_t i = 0; i < 91; i++) expected.data[i] = 3.0f + 0.25f * expected.data[i];
    expect_equal("fill_normal", uniform, expected);
    ck_assert_uint_eq(rng.state, twin.state);
    ck_assert_uint_ne(rng.state, third.state);
    arena_free(arena);
}
END_TEST

START_TEST(copying_and_filling_reach_every_element)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix m = random_matrix(arena, &rng, rows, cols), out = matrix_new(arena, rows, cols);
        copy(out, m);
        expect_equal("copy", out, m);
        copy(out, out);
        expect_equal("copy onto itself", out, m);
        fill(out, -0.5f);
        for (size_t i = 0; i < matrix_size(out); i++)
            if (out.data[i] != -0.5f) ck_abort_msg("element %zu was not filled", i);
        arena_free(arena);
    }
}
END_TEST

// ---- Element by element -----------------------------------------------------------------------------------

enum { ADD, SUBTRACT, MULTIPLY, DIVIDE, ELEMENTWISE };
static const char *const elementwise_name[] = {"add", "subtract", "multiply", "divide"};

static void elementwise(int operation, Matrix out, Matrix a, Matrix b)
{
    switch (operation) {
    case ADD:
        add(out, a, b);
        break;
    case SUBTRACT:
        subtract(out, a, b);
        break;
    case MULTIPLY:
        multiply(out, a, b);
        break;
    default:
        divide(out, a, b);
    }
}

static float of_two(int operation, float a, float b)
{
    switch (operation) {
    case ADD:
        return a + b;
    case SUBTRACT:
        return a - b;
    case MULTIPLY:
        return a * b;
    default:
        return a / b;
    }
}

START_TEST(sums_differences_products_and_quotients_are_exact)
{
    FOR_SHAPES(rows, cols)
    {
        for (int operation = ADD; operation < ELEMENTWISE; operation++) {
            Arena *arena = arena_new();
            Matrix a = random_matrix(arena, &rng, rows, cols), b = random_matrix(arena, &rng, rows, cols);
            Matrix out = matrix_new(arena, rows, cols), expected = matrix_new(arena, rows, cols);
            for (size_t i = 0; i < matrix_size(a); i++)
                expected.data[i] = of_two(operation, a.data[i], b.data[i]);
            elementwise(operation, out, a, b);
            expect_equal(elementwise_name[operation], out, expected);
            arena_free(arena);
        }
    }
}
END_TEST

START_TEST(an_element_wise_result_may_be_an_input)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(3, 0);
    for (int operation = ADD; operation < ELEMENTWISE; operation++) {
        Matrix a = random_matrix(arena, &rng, 37, 19), b = random_matrix(arena, &rng, 37, 19);
        Matrix expected = matrix_new(arena, 37, 19), twice = matrix_new(arena, 37, 19);
        elementwise(operation, expected, a, b);
        elementwise(operation, twice, a, a);
        Matrix first = matrix_copy(arena, a), second = matrix_copy(arena, b);
        elementwise(operation, first, first, b);
        expect_equal(elementwise_name[operation], first, expected);
        elementwise(operation, second, a, second);
        expect_equal(elementwise_name[operation], second, expected);
        elementwise(operation, a, a, a);
        expect_equal(elementwise_name[operation], a, twice);
    }
    arena_free(arena);
}
END_TEST

START_TEST(scaling_and_adding_a_number)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix a = random_matrix(arena, &rng, rows, cols), b = random_matrix(arena, &rng, rows, cols);
        Matrix scaled = matrix_copy(arena, a), shifted = matrix_copy(arena, a),
               sum_of_both = matrix_copy(arena, b);
        Matrix expected = matrix_new(arena, rows, cols);
        scale(scaled, -1.7f);
        for (size_t i = 0; i < matrix_size(a); i++) expected.data[i] = a.data[i] * -1.7f;
        expect_equal("scale", scaled, expected);
        add_scalar(shifted, 0.3f);
        for (size_t i = 0; i < matrix_size(a); i++) expected.data[i] = a.data[i] + 0.3f;
        expect_equal("add_scalar", shifted, expected);
        add_scaled(sum_of_both, -1.7f, a);
        for (size_t i = 0; i < matrix_size(a); i++) expected.data[i] = fmaf(-1.7f, a.data[i], b.data[i]);
        expect_equal("add_scaled", sum_of_both, expected);
        arena_free(arena);
    }
}
END_TEST

// ---- A row or a column against every row or column --------------------------------------------------------

START_TEST(a_row_meets_every_row_and_a_column_every_column)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix m = random_matrix(arena, &rng, rows, cols), out = matrix_new(arena, rows, cols);
        Matrix row = random_matrix(arena, &rng, 1, cols), column = random_matrix(arena, &rng, rows, 1);
        Matrix expected = matrix_new(arena, rows, cols);
        for (int operation = ADD; operation < ELEMENTWISE; operation++) {
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < cols; j++)
                    AT(expected, i, j) = of_two(operation, AT(m, i, j), row.data[j]);
            copy(out, m);
            if (operation == ADD) add_row(out, row);
            if (operation == SUBTRACT) subtract_row(out, row);
            if (operation == MULTIPLY) multiply_row(out, row);
            if (operation == DIVIDE) divide_row(out, row);
            expect_equal("a row operation", out, expected);
        }
        for (int operation = ADD; operation <= MULTIPLY; operation += MULTIPLY - ADD) {
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < cols; j++)
                    AT(expected, i, j) = of_two(operation, AT(m, i, j), column.data[i]);
            copy(out, m);
            if (operation == ADD) add_column(out, column);
            if (operation == MULTIPLY) multiply_column(out, column);
            expect_equal("a column operation", out, expected);
        }
        arena_free(arena);
    }
}
END_TEST

// ---- Reductions -------------------------------------------------------------------------------------------

START_TEST(sums_down_and_along_are_right)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix m = random_matrix(arena, &rng, rows, cols), down = matrix_new(arena, 1, cols);
        Matrix along = matrix_new(arena, rows, 1);
        fill(down, 99.0f);
        fill(along, 99.0f);
        column_sums(down, m);
        row_sums(along, m);
        for (int j = 0; j < cols; j++) {
            double total = 0.0, magnitude = 0.0;
            for (int i = 0; i < rows; i++)
                total += (double)AT(m, i, j), magnitude += fabs((double)AT(m, i, j));
            expect_sum("column_sums", rows, cols, (double)down.data[j], total, magnitude);
        }
        for (int i = 0; i < rows; i++) {
            double total = 0.0, magnitude = 0.0;
            for (int j = 0; j < cols; j++)
                total += (double)AT(m, i, j), magnitude += fabs((double)AT(m, i, j));
            expect_sum("row_sums", rows, cols, (double)along.data[i], total, magnitude);
        }
        arena_free(arena);
    }
}
END_TEST

START_TEST(column_means_and_variances_are_right)
{
    FOR_SHAPES(rows, cols)
    {
        if (rows == 0) continue;
        Arena *arena = arena_new();
        Matrix m = random_matrix(arena, &rng, rows, cols), means = matrix_new(arena, 1, cols);
        Matrix variances = matrix_new(arena, 1, cols);
        column_means(means, m);
        column_variances(variances, m);
        for (int j = 0; j < cols; j++) {
            double average = 0.0, variance = 0.0;
            for (int i = 0; i < rows; i++) average += (double)AT(m, i, j) / rows;
            for (int i = 0; i < rows; i++)
                variance += ((double)AT(m, i, j) - average) * ((double)AT(m, i, j) - average) / rows;
            expect_sum("column_means", rows, cols, (double)means.data[j], average, 3.0);
            // The mean is taken as rounded to float: its error, squared, is what the variance may be too
            // large by.
            expect_sum("column_variances", rows, cols, (double)variances.data[j], variance,
                       10.0 + 1e12 * pow(0x1p-24 * average, 2.0));
        }
        arena_free(arena);
    }
}
END_TEST

START_TEST(a_small_spread_around_a_large_mean_is_seen)
{
    enum { ROWS = 10000 };
    Arena *arena = arena_new();
    Matrix m = matrix_new(arena, ROWS, 1), variance = matrix_new(arena, 1, 1);
    for (int i = 0; i < ROWS; i++)
        m.data[i] = 1e6f + (float)(i % 2); // Σx² − (Σx)²/n would leave nothing in float
    column_variances(variance, m);
    ck_assert_msg(fabsf(variance.data[0] - 0.25f) < 0.001f, "got %g, expected 0.25",
                  (double)variance.data[0]);
    arena_free(arena);
}
END_TEST

// The documented order: lane l takes the elements l, l + 16, …; the lanes are added in order.
static double in_sixteen_lanes(const float *a, const float *b, size_t count)
{
    double total = 0.0;
    for (size_t lane = 0; lane < 16; lane++) {
        volatile double part = 0.0; // not to be reordered
        for (size_t i = lane; i < count; i += 16)
            part = b ? fma((double)a[i], (double)b[i], part) : part + (double)a[i];
        total += part;
    }
    return total;
}

START_TEST(sums_over_all_elements_have_one_order)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix a = wide_matrix(arena, &rng, rows, cols), b = wide_matrix(arena, &rng, rows, cols);
        size_t n = matrix_size(a);
        double total = in_sixteen_lanes(a.data, NULL, n), squares = in_sixteen_lanes(a.data, a.data, n);
        ck_assert_double_eq(sum(a), total);
        ck_assert_double_eq(sum_of_squares(a), squares);
        ck_assert_double_eq(norm(a), sqrt(squares));
        ck_assert_double_eq(dot(a, b), in_sixteen_lanes(a.data, b.data, n));
        if (n) ck_assert_double_eq(mean(a), total / (double)n);
        double naive = 0.0, magnitude = 0.0;
        for (size_t i = 0; i < n; i++) naive += (double)a.data[i], magnitude += fabs((double)a.data[i]);
        expect_sum("sum", rows, cols, sum(a), naive, magnitude);
        arena_free(arena);
    }
}
END_TEST

START_TEST(the_rows_are_cut_into_chunks_without_loss)
{
    static const int counts[] = {1, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 4160, 8191, 8193, 100003};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int rows = counts[c];
        Arena *arena = arena_new();
        Matrix m = matrix_new(arena, rows, 3), out = matrix_new(arena, 1, 3);
        for (int i = 0; i < rows; i++)
            AT(m, i, 0) = (float)(i + 1), AT(m, i, 1) = 1.0f, AT(m, i, 2) = i % 2 ? 1.0f : -1.0f;
        column_sums(out, m); // all exact in double
        ck_assert_float_eq(out.data[0], (float)(0.5 * rows * (rows + 1.0)));
        ck_assert_float_eq(out.data[1], (float)rows);
        ck_assert_float_eq(out.data[2], rows % 2 ? -1.0f : 0.0f);
        arena_free(arena);
    }
}
END_TEST

// Eight gigabytes of address space that are one page of zeros, but for five places.
START_TEST(as_many_rows_as_an_int_can_count_are_summed)
{
    static const int places[] = {0, 33554431, 33554432, 2113929217, INT_MAX - 1};
    size_t bytes = (size_t)INT_MAX * sizeof(float);
    float *data =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (UNDER_ASAN || data == MAP_FAILED) return; // too slow, or no such address space here
    madvise(data, bytes, MADV_HUGEPAGE);          // fewer page faults
    for (int i = 0; i < 5; i++) data[places[i]] = (float)(1 << i);
    float total = 0.0f;
    column_sums(matrix_view(1, 1, &total), matrix_view(INT_MAX, 1, data));
    ck_assert_float_eq(total, 31.0f);
    munmap(data, bytes);
}
END_TEST

START_TEST(the_largest_of_a_row_is_its_first_largest)
{
    FOR_SHAPES(rows, cols)
    {
        if (cols == 0) continue;
        Arena *arena = arena_new();
        Matrix m = matrix_new(arena, rows, cols), maxima = matrix_new(arena, rows, 1);
        for (size_t i = 0; i < matrix_size(m); i++)
            m.data[i] = (float)rng_below(&rng, 7) - 9.0f; // many are equal
        int *where = arena_alloc(arena, (size_t)rows, sizeof *where);
        row_maxima(maxima, m);
        row_argmax(where, m);
        for (int i = 0; i < rows; i++) {
            int best = 0;
            for (int j = cols - 1; j >= 0; j--)
                if (AT(m, i, j) >= AT(m, i, best)) best = j;
            if (where[i] != best || maxima.data[i] != AT(m, i, best))
                ck_abort_msg("row %d: got column %d, %g; expected column %d, %g", i, where[i],
                             (double)maxima.data[i], best, (double)AT(m, i, best));
        }
        arena_free(arena);
    }
}
END_TEST

START_TEST(smallest_largest_and_largest_difference)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix a = random_matrix(arena, &rng, rows, cols), b = random_matrix(arena, &rng, rows, cols);
        float least = INFINITY, most = -INFINITY, difference = 0.0f;
        for (size_t i = 0; i < matrix_size(a); i++) {
            least = fminf(least, a.data[i]);
            most = fmaxf(most, a.data[i]);
            difference = fmaxf(difference, fabsf(a.data[i] - b.data[i]));
        }
        ck_assert_float_eq(smallest(a), least);
        ck_assert_float_eq(largest(a), most);
        ck_assert_float_eq(largest_difference(a, b), difference);
        ck_assert_float_eq(largest_difference(a, a), 0.0f);
        ck_assert(all_finite(a));
        arena_free(arena);
    }
}
END_TEST

START_TEST(not_a_number_is_never_hidden)
{
    for (int place = 0; place < 35; place++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(4, 0);
        Matrix m = random_matrix(arena, &rng, 5, 7), other = random_matrix(arena, &rng, 5, 7);
        Matrix down = matrix_new(arena, 1, 7), along = matrix_new(arena, 5, 1);
        int i = place / 7, j = place % 7;
        m.data[place] = NAN;
        ck_assert(isnan(sum(m)) && isnan(mean(m)) && isnan(norm(m)) && isnan(sum_of_squares(m)) &&
                  isnan(dot(m, other)));
        ck_assert(isnan(smallest(m)) && isnan(largest(m)) && !all_finite(m));
        ck_assert(isnan(largest_difference(m, other)) && isnan(largest_difference(other, m)));
        column_sums(down, m);
        row_sums(along, m);
        ck_assert(isnan(down.data[j]) && isnan(along.data[i]));
        column_variances(down, m);
        row_maxima(along, m);
        ck_assert(isnan(down.data[j]) && isnan(along.data[i]));
        for (int k = 0; k < 7; k++) ck_assert(k == j || isfinite(down.data[k]));
        for (int k = 0; k < 5; k++) ck_assert(k == i || isfinite(along.data[k]));
        arena_free(arena);
    }
}
END_TEST

START_TEST(infinities_are_values_but_not_finite)
{
    float data[4] = {-INFINITY, -INFINITY, 3.0f, INFINITY}, same[4] = {-INFINITY, 0, 3.0f, INFINITY};
    Matrix m = matrix_view(2, 2, data);
    int where[2];
    row_argmax(where, m);
    ck_assert_int_eq(where[0], 0);
    ck_assert_int_eq(where[1], 1);
    ck_assert_float_eq(smallest(m), -INFINITY);
    ck_assert_float_eq(largest(m), INFINITY);
    ck_assert(!all_finite(m));
    ck_assert(!all_finite(matrix_view(1, 1, data)));
    ck_assert(isnan(largest_difference(m, m))); // ∞ − ∞
    ck_assert_float_eq(largest_difference(matrix_view(1, 1, data + 1), matrix_view(1, 1, same + 1)),
                       INFINITY);
}
END_TEST

START_TEST(empty_matrices_have_empty_sums)
{
    Arena *arena = arena_new();
    Matrix none = matrix_new(arena, 0, 3), down = matrix_new(arena, 1, 3);
    fill(down, 9.0f);
    column_sums(matrix_view(1, 0, NULL), matrix_view(INT_MAX, 0, NULL));
    column_sums(down, none);
    expect_equal("column_sums of no rows", down, matrix_new(arena, 1, 3));
    ck_assert_double_eq(sum(none), 0.0);
    ck_assert_double_eq(norm(none), 0.0);
    ck_assert_float_eq(largest(none), -INFINITY);
    ck_assert_float_eq(smallest(none), INFINITY);
    ck_assert(all_finite(none));
    Matrix left = matrix_new(arena, 4, 0), right = matrix_new(arena, 0, 3), out = matrix_new(arena, 4, 3);
    fill(out, 9.0f);
    matmul_add(out, left, right);
    ck_assert_float_eq(out.data[11], 9.0f);
    matmul(out, left, right); // a sum of nothing
    expect_equal("a product over nothing", out, matrix_new(arena, 4, 3));
    Matrix nowhere = matrix_view(0, 3, NULL);
    copy(nowhere, nowhere);
    add(nowhere, nowhere, nowhere);
    gather_rows(nowhere, out, NULL);
    transpose(matrix_view(3, 0, NULL), nowhere);
    arena_free(arena);
}
END_TEST

// ---- Moving -----------------------------------------------------------------------------------------------

START_TEST(a_transpose_swaps_rows_and_columns)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix m = random_matrix(arena, &rng, rows, cols), out = matrix_new(arena, cols, rows);
        Matrix expected = matrix_new(arena, cols, rows);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++) AT(expected, j, i) = AT(m, i, j);
        transpose(out, m);
        expect_equal("transpose", out, expected);
        arena_free(arena);
    }
}
END_TEST

START_TEST(gathering_takes_the_rows_named_in_their_order)
{
    FOR_SHAPES(rows, cols)
    {
        if (rows == 0) continue;
        Arena *arena = arena_new();
        int count = (int)rng_below(&rng, 100), *indices = arena_alloc(arena, 100, sizeof *indices);
        Matrix m = random_matrix(arena, &rng, rows, cols), out = matrix_new(arena, count, cols);
        Matrix expected = matrix_new(arena, count, cols);
        for (int i = 0; i < count; i++) {
            indices[i] = (int)rng_below(&rng, (uint32_t)rows);
            for (int j = 0; j < cols; j++) AT(expected, i, j) = AT(m, indices[i], j);
        }
        gather_rows(out, m, indices);
        expect_equal("gather_rows", out, expected);
        arena_free(arena);
    }
}
END_TEST

START_TEST(a_block_of_columns_is_copied_and_nothing_else)
{
    FOR_SHAPES(rows, cols)
    {
        Arena *arena = arena_new();
        Matrix m = random_matrix(arena, &rng, rows, cols);
        int count = (int)rng_below(&rng, (uint32_t)cols + 1),
            from = (int)rng_below(&rng, (uint32_t)(cols - count) + 1);
        int other_cols = count + (int)rng_below(&rng, 9),
            to = (int)rng_below(&rng, (uint32_t)(other_cols - count) + 1);
        Matrix out = random_matrix(arena, &rng, rows, other_cols), expected = matrix_copy(arena, out);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < count; j++) AT(expected, i, to + j) = AT(m, i, from + j);
        copy_columns(out, to, m, from, count);
        expect_equal("copy_columns", out, expected);
        arena_free(arena);
    }
}
END_TEST

START_TEST(columns_may_be_shifted_within_one_matrix)
{
    float data[] = {1, 2, 3, 4, 5, 6, 7, 8}, expected[] = {1, 1, 2, 3, 5, 5, 6, 7};
    Matrix m = matrix_view(2, 4, data);
    copy_columns(m, 1, m, 0, 3);
    expect_equal("copy_columns", m, matrix_view(2, 4, expected));
}
END_TEST

// ---- Products ---------------------------------------------------------------------------------------------

enum { NN, TN, NT, FORMS };

// Each element is one chain of fused multiply-adds over k, from 0 or from what is there.
static void plain_product(int form, Matrix out, Matrix a, Matrix b, bool accumulate)
{
    int inner = form == TN ? a.rows : a.cols;
    for (int i = 0; i < out.rows; i++)
        for (int j = 0; j < out.cols; j++) {
            float total = accumulate ? AT(out, i, j) : 0.0f;
            for (int k = 0; k < inner; k++)
                total = fmaf(form == TN ? AT(a, k, i) : AT(a, i, k), form == NT ? AT(b, j, k) : AT(b, k, j),
                             total);
            AT(out, i, j) = total;
        }
}

static void product_of_form(int form, Matrix out, Matrix a, Matrix b, bool accumulate)
{
    if (form == NN && !accumulate) matmul(out, a, b);
    if (form == TN && !accumulate) matmul_tn(out, a, b);
    if (form == NT && !accumulate) matmul_nt(out, a, b);
    if (form == NN && accumulate) matmul_add(out, a, b);
    if (form == TN && accumulate) matmul_tn_add(out, a, b);
    if (form == NT && accumulate) matmul_nt_add(out, a, b);
}

START_TEST(products_of_all_forms_are_the_plain_ones_bit_for_bit)
{
    static const char *const names[] = {"matmul",     "matmul_tn",     "matmul_nt",
                                        "matmul_add", "matmul_tn_add", "matmul_nt_add"};
    Rng rng = rng_new(5, 0);
    for (int round = 0; round < 40; round++) {
        int m = 1 + (int)rng_below(&rng, 50), n = 1 + (int)rng_below(&rng, 50),
            k = 1 + (int)rng_below(&rng, 60);
        if (round == 39) m = 101, n = 97, k = 203;
        for (int form = 0; form < FORMS; form++)
            for (int accumulate = 0; accumulate < 2; accumulate++) {
                Arena *arena = arena_new();
                Matrix a = form == TN ? random_matrix(arena, &rng, k, m) : random_matrix(arena, &rng, m, k);
                Matrix b = form == NT ? random_matrix(arena, &rng, n, k) : random_matrix(arena, &rng, k, n);
                Matrix out = random_matrix(arena, &rng, m, n), expected = matrix_copy(arena, out);
                product_of_form(form, out, a, b, accumulate);
                plain_product(form, expected, a, b, accumulate);
                expect_equal(names[form + FORMS * accumulate], out, expected);
                arena_free(arena);
            }
    }
}
END_TEST

// ---- The same bits on any number of threads ---------------------------------------------------------------

enum { IN_PLACE = 13, THREADED = 20 };

// Operation number on (rows × cols) matrices; its result.
static Matrix run_operation(int number, Arena *arena, int rows, int cols)
{
    Rng rng = rng_new(6, 0);
    Matrix a = wide_matrix(arena, &rng, rows, cols), b = wide_matrix(arena, &rng, rows, cols);
    Matrix row = wide_matrix(arena, &rng, 1, cols), column = wide_matrix(arena, &rng, rows, 1);
    Matrix turned = matrix_new(arena, cols, rows), narrow = wide_matrix(arena, &rng, cols, 9);
    Matrix product = matrix_new(arena, rows, 9);
    // The columns' sums cancel but for the rounding on the way, which is another in another order.
    for (int i = 0; i < rows / 2; i++)
        for (int j = 0; j < cols; j++) AT(a, rows - 1 - i, j) = -AT(a, i, j);

    if (number == 0) add(a, a, b);
    if (number == 1) subtract(a, a, b);
    if (number == 2) multiply(a, a, b);
    if (number == 3) divide(a, a, b);
    if (number == 4) add_scaled(a, 0.7f, b);
    if (number == 5) scale(a, 0.7f);
    if (number == 6) add_scalar(a, 0.7f);
    if (number == 7) add_row(a, row);
    if (number == 8) subtract_row(a, row);
    if (number == 9) multiply_row(a, row);
    if (number == 10) divide_row(a, row);
    if (number == 11) add_column(a, column);
    if (number == 12) multiply_column(a, column);
    if (number < IN_PLACE) return a;
    if (number == 13) return column_sums(row, a), row;
    if (number == 14) return column_means(row, a), row;
    if (number == 15) return column_variances(row, a), row;
    if (number == 16) return row_sums(column, a), column;
    if (number == 17) return row_maxima(column, a), column;
    if (number == 18) return transpose(turned, a), turned;
    return matmul(product, a, narrow), product;
}

START_TEST(every_operation_gives_the_same_bits_on_1_2_and_3_threads)
{
    static const int shapes[][2] = {{1009, 101}, {7, 20011}, {20011, 7}, {301, 333}};
    for (int s = 0; s < 4; s++)
        for (int number = 0; number < THREADED; number++) {
            Arena *arena = arena_new();
            Matrix results[4];
            for (int threads = 1; threads <= 3; threads++) {
                omp_set_num_threads(threads);
                results[threads] = run_operation(number, arena, shapes[s][0], shapes[s][1]);
                char what[64];
                snprintf(what, sizeof what, "operation %d on %d threads", number, threads);
                expect_equal(what, results[threads], results[1]);
            }
            arena_free(arena);
        }
}
END_TEST

// ---- Wrong calls ------------------------------------------------------------------------------------------

typedef struct {
    int line;
    const char *message, *hint;
} WrongCall;

// Makes wrong call number, or, when a description is asked for, only says what is wrong with it. False: there
// is none.
static bool wrong_call(int number, WrongCall *description)
{
    static float storage[64];
    static int indices[3] = {0, 2, 1}, outside[3] = {0, 1, 4}, negative[3] = {0, -1, 1};
    Arena *arena = description ? NULL : arena_new();
    Matrix m23 = {2, 3, storage}, m24 = {2, 4, storage + 32}, m32 = {3, 2, storage + 16},
           m33 = {3, 3, storage + 42};
    Matrix m13 = {1, 3, storage + 50}, m14 = {1, 4, storage + 54}, m21 = {2, 1, storage + 58},
           m31 = {3, 1, storage + 60};
    Matrix m03 = {0, 3, storage}, m20 = {2, 0, storage}, later = {2, 3, storage + 1};
    int next = 0;

#define WRONG(call, message, hint)                                                                           \
    if (number == next++) {                                                                                  \
        if (description)                                                                                     \
            *description = (WrongCall){__LINE__, message, hint};                                             \
        else                                                                                                 \
            call;                                                                                            \
        return true;                                                                                         \
    }

    // Each on one line: compilers differ in which line of a long call __LINE__ is.
    // clang-format off
    const char *same = "this operation works element by element: both matrices need the same shape";
    const char *inputs = "give the result the shape of the inputs";
    const char *own = "give the result a matrix of its own";
    WRONG(add(m23, m23, m24), "add: (2 × 3) and (2 × 4) differ", same)
    WRONG(add(m24, m23, m23), "add: a result of shape (2 × 4) for (2 × 3)", inputs)
    WRONG(add(later, m23, m23), "add: (2 × 3) and (2 × 3) share memory", own)
    WRONG(add(later, m23, later), "add: (2 × 3) and (2 × 3) share memory", own)
    WRONG(subtract(m23, m32, m23), "subtract: (3 × 2) and (2 × 3) differ", same)
    WRONG(subtract(m24, m23, m23), "subtract: a result of shape (2 × 4) for (2 × 3)", inputs)
    WRONG(subtract(later, later, m23), "subtract: (2 × 3) and (2 × 3) share memory", own)
    WRONG(subtract(later, m23, later), "subtract: (2 × 3) and (2 × 3) share memory", own)
    WRONG(multiply(m23, m23, m24), "multiply: (2 × 3) and (2 × 4) differ", same)
    WRONG(multiply(m32, m23, m23), "multiply: a result of shape (3 × 2) for (2 × 3)", inputs)
    WRONG(multiply(later, later, m23), "multiply: (2 × 3) and (2 × 3) share memory", own)
    WRONG(multiply(later, m23, later), "multiply: (2 × 3) and (2 × 3) share memory", own)
    WRONG(divide(m23, m23, m13), "divide: (2 × 3) and (1 × 3) differ", same)
    WRONG(divide(m24, m23, m23), "divide: a result of shape (2 × 4) for (2 × 3)", inputs)
    WRONG(divide(later, later, m23), "divide: (2 × 3) and (2 × 3) share memory", own)
    WRONG(divide(later, m23, later), "divide: (2 × 3) and (2 × 3) share memory", own)
    WRONG(add_scaled(m23, 1.0f, m24), "add_scaled: a result of shape (2 × 3) for (2 × 4)", inputs)
    WRONG(add_scaled(later, 1.0f, m23), "add_scaled: (2 × 3) and (2 × 3) share memory", own)
    WRONG(copy(m23, m32), "copy: a result of shape (2 × 3) for (3 × 2)", inputs)
    WRONG(copy(later, m23), "copy: (2 × 3) and (2 × 3) share memory", own)

    const char *row = "one value is needed for each column: a (1 × columns) matrix";
    const char *column = "one value is needed for each row: a (rows × 1) matrix";
    WRONG(add_row(m23, m14), "add_row: (2 × 3) with a row of shape (1 × 4)", row)
    WRONG(add_row(m23, m23), "add_row: (2 × 3) with a row of shape (2 × 3)", row)
    WRONG(add_row(m23, matrix_rows(m23, 0, 1)), "add_row: (2 × 3) and (1 × 3) share memory", own)
    WRONG(subtract_row(m23, m31), "subtract_row: (2 × 3) with a row of shape (3 × 1)", row)
    WRONG(subtract_row(m23, matrix_rows(m23, 1, 1)), "subtract_row: (2 × 3) and (1 × 3) share memory", own)
    WRONG(multiply_row(m24, m13), "multiply_row: (2 × 4) with a row of shape (1 × 3)", row)
    WRONG(divide_row(m24, m13), "divide_row: (2 × 4) with a row of shape (1 × 3)", row)
    WRONG(add_column(m23, m31), "add_column: (2 × 3) with a column of shape (3 × 1)", column)
    WRONG(add_column(m23, ((Matrix){2, 1, storage})), "add_column: (2 × 3) and (2 × 1) share memory", own)
    WRONG(multiply_column(m23, m13), "multiply_column: (2 × 3) with a column of shape (1 × 3)", column)
    WRONG(column_sums(m14, m23), "column_sums: (2 × 3) with a row of shape (1 × 4)", row)
    WRONG(column_means(m21, m23), "column_means: (2 × 3) with a row of shape (2 × 1)", row)
    WRONG(column_means(m13, m03), "column_means: a (0 × 3) matrix", "a mean needs at least one row")
    WRONG(column_variances(m31, m23), "column_variances: (2 × 3) with a row of shape (3 × 1)", row)
    WRONG(column_variances(m13, m03), "column_variances: a (0 × 3) matrix", "a variance needs at least one")
    WRONG(column_variances(m13, m13), "column_variances: (1 × 3) and (1 × 3) share memory", own)
    WRONG(row_sums(m31, m23), "row_sums: (2 × 3) with a column of shape (3 × 1)", column)
    WRONG(row_maxima(m13, m23), "row_maxima: (2 × 3) with a column of shape (1 × 3)", column)
    WRONG(row_maxima(m21, m20), "row_maxima: a (2 × 0) matrix", "a maximum needs at least one column")
    WRONG(dot(m23, m24), "dot: (2 × 3) and (2 × 4) differ", same)
    WRONG(largest_difference(m23, m32), "largest_difference: (2 × 3) and (3 × 2) differ", same)

    const char *turn = "the result has as many rows as the matrix has columns";
    const char *from_0 = "row numbers run from 0", *block = "the block must lie inside both matrices";
    WRONG(transpose(m23, m24), "transpose: (2 × 4) into (2 × 3)", turn)
    WRONG(transpose(m33, m33), "transpose: (3 × 3) and (3 × 3) share memory", own)
    WRONG(gather_rows(m33, m24, indices), "gather_rows: rows of (2 × 4) into (3 × 3)", "rows keep their")
    WRONG(gather_rows(m33, m23, indices), "gather_rows: index 2 (number 1) into a (2 × 3) matrix", from_0)
    WRONG(gather_rows(m33, m23, outside), "gather_rows: index 4 (number 2) into a (2 × 3) matrix", from_0)
    WRONG(gather_rows(m33, m23, negative), "gather_rows: index -1 (number 1) into a (2 × 3) matrix", from_0)
    WRONG(gather_rows(m33, m33, indices), "gather_rows: (3 × 3) and (3 × 3) share memory", own)
    WRONG(copy_columns(m33, 0, m23, 0, 1), "copy_columns: (2 × 3) into (3 × 3)", "the same number of rows")
    WRONG(copy_columns(m23, 2, m24, 0, 2), "copy_columns: 2 from column 0 of (2 × 4) to column 2", block)
    WRONG(copy_columns(m24, 0, m23, 2, 2), "copy_columns: 2 from column 2 of (2 × 3) to column 0", block)
    WRONG(copy_columns(m24, -1, m23, 0, 2), "copy_columns: 2 from column 0 of (2 × 3) to column -1 of", block)
    WRONG(copy_columns(m24, 0, m23, -1, 2), "copy_columns: 2 from column -1 of (2 × 3) to column 0 of", block)
    WRONG(copy_columns(m24, 0, m23, 0, -1), "copy_columns: -1 from column 0", block)

    const char *meet = "the columns of the first factor must equal the rows of the second";
    const char *shape = "give the result this shape";
    WRONG(matmul(m23, m23, m24), "matmul: (2 × 3) · (2 × 4): 3 columns meet 2 rows", meet)
    WRONG(matmul(m23, m23, m32), "matmul: (2 × 3) · (3 × 2) is (2 × 2), not (2 × 3)", shape)
    WRONG(matmul(m33, m33, m33), "matmul: (3 × 3) and (3 × 3) share memory", own)
    WRONG(matmul(later, m23, m33), "matmul: (2 × 3) and (2 × 3) share memory", own)
    WRONG(matmul(m33, m31, m13), "matmul: (3 × 3) and (1 × 3) share memory", own)
    WRONG(matmul_tn(m33, m23, m32), "matmul_tn: (2 × 3)ᵀ · (3 × 2): 2 columns meet 3 rows", meet)
    WRONG(matmul_tn(m33, m23, m24), "matmul_tn: (2 × 3)ᵀ · (2 × 4) is (3 × 4), not (3 × 3)", shape)
    WRONG(matmul_nt(m23, m23, m32), "matmul_nt: (2 × 3) · (3 × 2)ᵀ: 3 columns meet 2 rows", meet)
    WRONG(matmul_nt(m23, m23, m13), "matmul_nt: (2 × 3) · (1 × 3)ᵀ is (2 × 1), not (2 × 3)", shape)
    WRONG(matmul_add(m23, m23, m24), "matmul_add: (2 × 3) · (2 × 4): 3 columns meet 2 rows", meet)
    WRONG(matmul_tn_add(m33, m23, m32), "matmul_tn_add: (2 × 3)ᵀ · (3 × 2): 2 columns meet 3 rows", meet)
    WRONG(matmul_nt_add(m23, m23, m32), "matmul_nt_add: (2 × 3) · (3 × 2)ᵀ: 3 columns meet 2 rows", meet)

    const char *sizes = "rows and columns cannot be negative";
    const char *last = "the last row asked for is first + count − 1";
    const char *count = "a new shape must hold the same number of elements";
    WRONG(matrix_new(arena, -1, 3), "a matrix of (-1 × 3)", sizes)
    WRONG(matrix_uninitialised(arena, 3, -1), "a matrix of (3 × -1)", sizes)
    WRONG(matrix_new(arena, INT_MAX, INT_MAX), "no memory: the system refused", "use smaller matrices")
    WRONG(matrix_from(arena, -2, 3, storage), "a matrix of (-2 × 3)", sizes)
    WRONG(matrix_copy(arena, ((Matrix){2, -3, storage})), "a matrix of (2 × -3)", sizes)
    WRONG(matrix_view(2, -3, storage), "a matrix of (2 × -3)", sizes)
    WRONG(matrix_rows(m23, 1, 2), "rows 1 … 2 of a (2 × 3) matrix", last)
    WRONG(matrix_rows(m23, -1, 2), "rows -1 … 0 of a (2 × 3) matrix", last)
    WRONG(matrix_rows(m23, 0, -1), "rows 0 … -2 of a (2 × 3) matrix", last)
    WRONG(matrix_rows(m23, INT_MAX, INT_MAX), "rows 2147483647 … 4294967293 of a (2 × 3) matrix", last)
    WRONG(matrix_reshape(m23, 2, 4), "(2 × 3) seen as (2 × 4)", count)
    WRONG(matrix_reshape(m23, -2, -3), "a matrix of (-2 × -3)", sizes)
    // clang-format on
    return false;
#undef WRONG
}

static void make_wrong_call(void *context) { wrong_call(*(int *)context, NULL); }

START_TEST(a_wrong_call_is_told_its_place_both_shapes_and_a_hint)
{
    WrongCall wrong;
    int number = 0;
    for (; wrong_call(number, &wrong); number++) {
        int status;
        char place[64];
        snprintf(place, sizeof place, "/test_matrix.c:%d: ", wrong.line);
        const char *got = stderr_of(make_wrong_call, &number, &status);
        const char *found = strstr(got, place), *hint = strstr(got, "\n hint: ");
        ck_assert_msg(status == 1, "line %d: exit status %d: %s", wrong.line, status, got);
        ck_assert_msg(found, "line %d: another place: %s", wrong.line, got);
        ck_assert_msg(strncmp(found + strlen(place), wrong.message, strlen(wrong.message)) == 0,
                      "line %d: expected \"%s\", got: %s", wrong.line, wrong.message, got);
        ck_assert_msg(hint && strstr(hint, wrong.hint), "line %d: expected the hint \"%s\", got: %s",
                      wrong.line, wrong.hint, got);
    }
    ck_assert_int_gt(number, 70);
}
END_TEST

static void argmax_of_nothing(void *context) { row_argmax(context, (Matrix){2, 0, NULL}); }

START_TEST(the_largest_of_no_columns_stops_the_program)
{
    int where[2];
    expect_death(argmax_of_nothing, where, "row_argmax: a (2 × 0) matrix\n hint: a maximum needs");
}
END_TEST

static void argmax_of_a_nan(void *context)
{
    int where[3];
    row_argmax(where, matrix_view(3, 4, context));
}

START_TEST(a_row_with_a_nan_has_no_largest_column)
{
    float x[12] = {0};
    x[7] = NAN;
    expect_death(argmax_of_a_nan, x, "row_argmax: row 1 has no largest value: column 3 holds a NaN");
    for (int j = 4; j < 8; j++) x[j] = NAN;
    expect_death(argmax_of_a_nan, x, "row_argmax: row 1 has no largest value: column 0 holds a NaN");
}
END_TEST

START_TEST(the_variance_does_not_depend_on_where_the_numbers_lie)
{
    Arena *arena = arena_new();
    const float offsets[] = {0.0f, 4096.0f, 1e6f, 1.6e7f};
    Matrix x = matrix_new(arena, 301, 35), variance = matrix_new(arena, 1, 35);
    for (int o = 0; o < 4; o++) {
        Rng rng = rng_new(6, 6);
        for (size_t i = 0; i < matrix_size(x); i++) x.data[i] = offsets[o] + (float)rng_below(&rng, 4);
        column_variances(variance, x);
        for (int j = 0; j < 35; j++) {
            double centre = 0, square = 0;
            for (int i = 0; i < 301; i++) centre += (double)AT(x, i, j) / 301;
            for (int i = 0; i < 301; i++) square += pow((double)AT(x, i, j) - centre, 2) / 301;
            ck_assert_msg(fabs((double)variance.data[j] / square - 1) < 1e-6,
                          "around %g: got %g, expected %g", (double)offsets[o], (double)variance.data[j],
                          square);
        }
    }
    fill(x, 0.1f);
    column_variances(variance, x);
    for (int j = 0; j < 35; j++) ck_assert(variance.data[j] == 0.0f);
    arena_free(arena);
}
END_TEST

SUITE("matrix", a_new_matrix_is_all_zeros_in_memory_that_was_used_before, element_i_j_is_data_i_cols_plus_j,
      rows_and_reshapes_are_views_and_copies_are_not,
      printing_shows_the_shape_and_at_most_eight_rows_and_columns, filling_draws_in_memory_order,
      copying_and_filling_reach_every_element, sums_differences_products_and_quotients_are_exact,
      an_element_wise_result_may_be_an_input, scaling_and_adding_a_number,
      a_row_meets_every_row_and_a_column_every_column, sums_down_and_along_are_right,
      column_means_and_variances_are_right, a_small_spread_around_a_large_mean_is_seen,
      sums_over_all_elements_have_one_order, the_rows_are_cut_into_chunks_without_loss,
      as_many_rows_as_an_int_can_count_are_summed, the_largest_of_a_row_is_its_first_largest,
      smallest_largest_and_largest_difference, not_a_number_is_never_hidden,
      infinities_are_values_but_not_finite, empty_matrices_have_empty_sums,
      a_transpose_swaps_rows_and_columns, gathering_takes_the_rows_named_in_their_order,
      a_block_of_columns_is_copied_and_nothing_else, columns_may_be_shifted_within_one_matrix,
      products_of_all_forms_are_the_plain_ones_bit_for_bit,
      every_operation_gives_the_same_bits_on_1_2_and_3_threads,
      a_wrong_call_is_told_its_place_both_shapes_and_a_hint, the_largest_of_no_columns_stops_the_program,
      a_row_with_a_nan_has_no_largest_column, the_variance_does_not_depend_on_where_the_numbers_lie)
