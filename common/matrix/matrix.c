#include "matrix/matrix.h"
#include "base/check.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "matrix/gemm.h"
#include "matrix/lanes.h"

// ---- Shapes that do not fit -------------------------------------------------------------------------------

static void need_numbers(Place place, const char *operation, Matrix m)
{
    check_at(place, m.data || !matrix_size(m),
             "matrix_new() makes one; of a gradient that a backward pass has sent on, tensor_keep_gradient() "
             "keeps it",
             "%s: (%d × %d) without numbers", operation, m.rows, m.cols);
}

static void need_same(Place place, const char *operation, Matrix a, Matrix b)
{
    need_numbers(place, operation, a);
    need_numbers(place, operation, b);
    check_at(place, same_shape(a, b),
             "this operation works element by element: both matrices need the same shape",
             "%s: (%d × %d) and (%d × %d) differ", operation, a.rows, a.cols, b.rows, b.cols);
}

static bool overlap(Matrix a, Matrix b)
{
    uintptr_t first = (uintptr_t)a.data, second = (uintptr_t)b.data;
    size_t first_bytes = matrix_size(a) * sizeof(float), second_bytes = matrix_size(b) * sizeof(float);
    return first_bytes && second_bytes && first < second + second_bytes && second < first + first_bytes;
}

// For operations that still read their input after they began to write.
static void need_apart(Place place, const char *operation, Matrix out, Matrix in)
{
    check_at(place, !overlap(out, in), "give the result a matrix of its own",
             "%s: (%d × %d) and (%d × %d) share memory", operation, out.rows, out.cols, in.rows, in.cols);
}

// For operations that may work in place, but not on half of their input.
static void need_same_or_apart(Place place, const char *operation, Matrix out, Matrix in)
{
    if (out.data != in.data || !same_shape(out, in)) need_apart(place, operation, out, in);
}

static void need_result(Place place, const char *operation, Matrix out, Matrix in)
{
    need_numbers(place, operation, out);
    need_numbers(place, operation, in);
    check_at(place, same_shape(out, in), "give the result the shape of the inputs",
             "%s: a result of shape (%d × %d) for (%d × %d)", operation, out.rows, out.cols, in.rows,
             in.cols);
    need_same_or_apart(place, operation, out, in);
}

static void need_row(Place place, const char *operation, Matrix m, Matrix row)
{
    check_at(place, row.rows == 1 && row.cols == m.cols,
             "one value is needed for each column: a (1 × columns) matrix",
             "%s: (%d × %d) with a row of shape (%d × %d)", operation, m.rows, m.cols, row.rows, row.cols);
    need_same_or_apart(place, operation, m, row);
}

static void need_column(Place place, const char *operation, Matrix m, Matrix column)
{
    check_at(place, column.cols == 1 && column.rows == m.rows,
             "one value is needed for each row: a (rows × 1) matrix",
             "%s: (%d × %d) with a column of shape (%d × %d)", operation, m.rows, m.cols, column.rows,
             column.cols);
    need_same_or_apart(place, operation, m, column);
}

bool same_shape(Matrix a, Matrix b) { return a.rows == b.rows && a.cols == b.cols; }

// ---- Making matrices and views ----------------------------------------------------------------------------

static void need_sizes(Place place, int rows, int cols)
{
    check_at(place, rows >= 0 && cols >= 0, "rows and columns cannot be negative", "a matrix of (%d × %d)",
             rows, cols);
}

Matrix matrix_uninitialised_at(Place place, Arena *arena, int rows, int cols)
{
    need_sizes(place, rows, cols);
    size_t count = size_product(place, (size_t)rows, (size_t)cols);
    return (Matrix){rows, cols, arena_alloc_at(place, arena, count, sizeof(float))};
}

Matrix matrix_new_at(Place place, Arena *arena, int rows, int cols)
{
    Matrix m = matrix_uninitialised_at(place, arena, rows, cols);
    memset(m.data, 0, matrix_size(m) * sizeof(float));
    return m;
}

Matrix matrix_copy_at(Place place, Arena *arena, Matrix m)
{
    need_numbers(place, "matrix_copy", m);
    return matrix_from_at(place, arena, m.rows, m.cols, m.data);
}

Matrix matrix_from_at(Place place, Arena *arena, int rows, int cols, const float *values)
{
    Matrix m = matrix_uninitialised_at(place, arena, rows, cols);
    if (matrix_size(m)) memcpy(m.data, values, matrix_size(m) * sizeof(float));
    return m;
}

Matrix matrix_view_at(Place place, int rows, int cols, float *data)
{
    need_sizes(place, rows, cols);
    return (Matrix){rows, cols, data};
}

Matrix matrix_rows_at(Place place, Matrix m, int first, int count)
{
    check_at(place, first >= 0 && count >= 0 && first <= m.rows - count,
             "the last row asked for is first + count − 1", "rows %d … %lld of a (%d × %d) matrix", first,
             (long long)first + count - 1, m.rows, m.cols);
    return (Matrix){count, m.cols, matrix_row(m, first)};
}

Matrix matrix_reshape_at(Place place, Matrix m, int rows, int cols)
{
    need_sizes(place, rows, cols);
    check_at(place, (size_t)rows * (size_t)cols == matrix_size(m),
             "a new shape must hold the same number of elements", "(%d × %d) seen as (%d × %d)", m.rows,
             m.cols, rows, cols);
    return (Matrix){rows, cols, m.data};
}

void matrix_print(FILE *file, const char *name, Matrix m, int digits)
{
    enum { MOST = 8 };
    fprintf(file, "%s (%d × %d)\n", name, m.rows, m.cols);
    for (int i = 0; i < int_min(m.rows, MOST); i++) {
        for (int j = 0; j < int_min(m.cols, MOST); j++) {
            float value = AT(m, i, j);
            fprintf(file, " %*.*f", digits + 5, digits,
                    isnan(value) ? (double)NAN : (double)value); // never "-nan"
        }
        fprintf(file, m.cols > MOST ? " …\n" : "\n");
    }
    if (m.rows > MOST) fprintf(file, "  ⋮\n");
}

// ---- Filling ----------------------------------------------------------------------------------------------

void matrix_fill(Matrix m, float value)
{
    for (size_t i = 0; i < matrix_size(m); i++) m.data[i] = value;
}

void fill_uniform(Matrix m, Rng *rng, float low, float high)
{
    for (size_t i = 0; i < matrix_size(m); i++) m.data[i] = rng_between(rng, low, high);
}

void fill_normal(Matrix m, Rng *rng, float mean_value, float deviation)
{
    rng_normals(rng, m.data, matrix_size(m));
    for (size_t i = 0; i < matrix_size(m); i++) m.data[i] = mean_value + deviation * m.data[i];
}

void copy_at(Place place, Matrix out, Matrix m)
{
    need_result(place, "copy", out, m);
    if (out.data != m.data && matrix_size(m)) memcpy(out.data, m.data, matrix_size(m) * sizeof(float));
}

// ---- Element by element -----------------------------------------------------------------------------------

void add_at(Place place, Matrix out, Matrix a, Matrix b)
{
    need_same(place, "add", a, b);
    need_result(place, "add", out, a);
    need_result(place, "add", out, b);
    size_t count = matrix_size(out);
    PARALLEL_EACH(i, count, out.data[i] = a.data[i] + b.data[i]);
}

void subtract_at(Place place, Matrix out, Matrix a, Matrix b)
{
    need_same(place, "subtract", a, b);
    need_result(place, "subtract", out, a);
    need_result(place, "subtract", out, b);
    size_t count = matrix_size(out);
    PARALLEL_EACH(i, count, out.data[i] = a.data[i] - b.data[i]);
}

void multiply_at(Place place, Matrix out, Matrix a, Matrix b)
{
    need_same(place, "multiply", a, b);
    need_result(place, "multiply", out, a);
    need_result(place, "multiply", out, b);
    size_t count = matrix_size(out);
    PARALLEL_EACH(i, count, out.data[i] = a.data[i] * b.data[i]);
}

void divide_at(Place place, Matrix out, Matrix a, Matrix b)
{
    need_same(place, "divide", a, b);
    need_result(place, "divide", out, a);
    need_result(place, "divide", out, b);
    size_t count = matrix_size(out);
    PARALLEL_EACH(i, count, out.data[i] = a.data[i] / b.data[i]);
}

void add_scaled_at(Place place, Matrix out, float s, Matrix a)
{
    need_result(place, "add_scaled", out, a);
    size_t count = matrix_size(out);
    PARALLEL_EACH(i, count, out.data[i] = __builtin_fmaf(s, a.data[i], out.data[i]));
}

void matrix_scale(Matrix m, float s)
{
    size_t count = matrix_size(m);
    PARALLEL_EACH(i, count, m.data[i] *= s);
}

void add_scalar(Matrix m, float s)
{
    size_t count = matrix_size(m);
    PARALLEL_EACH(i, count, m.data[i] += s);
}

// ---- A row or a column against every row or column --------------------------------------------------------

void add_row_at(Place place, Matrix m, Matrix row)
{
    need_row(place, "add_row", m, row);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows, {
        for (int j = 0; j < m.cols; j++) AT(m, i, j) += row.data[j];
    });
}

void subtract_row_at(Place place, Matrix m, Matrix row)
{
    need_row(place, "subtract_row", m, row);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows, {
        for (int j = 0; j < m.cols; j++) AT(m, i, j) -= row.data[j];
    });
}

void multiply_row_at(Place place, Matrix m, Matrix row)
{
    need_row(place, "multiply_row", m, row);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows, {
        for (int j = 0; j < m.cols; j++) AT(m, i, j) *= row.data[j];
    });
}

void divide_row_at(Place place, Matrix m, Matrix row)
{
    need_row(place, "divide_row", m, row);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows, {
        for (int j = 0; j < m.cols; j++) AT(m, i, j) /= row.data[j];
    });
}

void add_column_at(Place place, Matrix m, Matrix column)
{
    need_column(place, "add_column", m, column);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows, {
        for (int j = 0; j < m.cols; j++) AT(m, i, j) += column.data[i];
    });
}

void multiply_column_at(Place place, Matrix m, Matrix column)
{
    need_column(place, "multiply_column", m, column);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows, {
        for (int j = 0; j < m.cols; j++) AT(m, i, j) *= column.data[i];
    });
}

// ---- Reductions -------------------------------------------------------------------------------------------
// Down the rows, the rows are cut into at most CHUNKS pieces whose size depends on the number of rows alone.
// Each piece is summed in order, by whichever thread; then the pieces are added in order. Columns are taken
// COLUMNS at a time.

enum { CHUNKS = 64, CHUNK_ROWS = 64, COLUMNS = 32 };

static int chunk_rows(int rows) { return int_max(CHUNK_ROWS, rows / CHUNKS + (rows % CHUNKS != 0)); }

// partial[j] = Σ over count rows from the first on of m_ij in columns column …, or of (m_ij − centre_j)² when a centre is
// given.
static void sum_chunk(double *partial, Matrix m, int first, int count, int column, int width,
                      const double *centre)
{
    for (int j = 0; j < width; j++) partial[j] = 0.0;
    for (int i = 0; i < count; i++) {
        const float *row = matrix_row(m, first + i) + column;
        if (!centre) {
            for (int j = 0; j < width; j++) partial[j] += (double)row[j];
        } else {
            for (int j = 0; j < width; j++) {
                double distance = (double)row[j] - centre[j];
                partial[j] = __builtin_fma(distance, distance, partial[j]);
            }
        }
    }
}

// total (width ≤ COLUMNS) receives the sums of all rows.
static void sum_block(double *total, Matrix m, int column, int width, const double *centre)
{
    int size = chunk_rows(m.rows), chunks = m.rows / size + (m.rows % size != 0);
    double partial[CHUNKS][COLUMNS];
    PARALLEL_FOR(parallel_worth((size_t)m.rows * (size_t)width), c, chunks,
                 sum_chunk(partial[c], m, c * size, int_min(size, m.rows - c * size), column, width, centre));
    for (int j = 0; j < width; j++) {
        total[j] = 0.0;
        for (int c = 0; c < chunks; c++) total[j] += partial[c][j];
    }
}

static void sum_down(Matrix out, Matrix m, double divisor)
{
    for (int column = 0; column < m.cols; column += COLUMNS) {
        double total[COLUMNS];
        int width = int_min(COLUMNS, m.cols - column);
        sum_block(total, m, column, width, NULL);
        for (int j = 0; j < width; j++) out.data[column + j] = (float)(total[j] / divisor);
    }
}

void column_sums_at(Place place, Matrix out, Matrix m)
{
    need_row(place, "column_sums", m, out);
    sum_down(out, m, 1.0);
}

void column_means_at(Place place, Matrix out, Matrix m)
{
    need_row(place, "column_means", m, out);
    check_at(place, m.rows > 0, "a mean needs at least one row", "column_means: a (%d × %d) matrix", m.rows,
             m.cols);
    sum_down(out, m, m.rows);
}

void column_variances_at(Place place, Matrix out, Matrix m)
{
    need_row(place, "column_variances", m, out);
    check_at(place, m.rows > 0, "a variance needs at least one row", "column_variances: a (%d × %d) matrix",
             m.rows, m.cols);
    need_apart(place, "column_variances", out, m);
    for (int column = 0; column < m.cols; column += COLUMNS) {
        double centre[COLUMNS], total[COLUMNS]; // the means stay doubles: a rounded one would be no centre
        int width = int_min(COLUMNS, m.cols - column);
        sum_block(centre, m, column, width, NULL);
        for (int j = 0; j < width; j++) centre[j] /= m.rows;
        sum_block(total, m, column, width, centre);
        for (int j = 0; j < width; j++) out.data[column + j] = (float)(total[j] / m.rows);
    }
}

// Σ a_i b_i, or Σ a_i when b is NULL: lane l takes the elements l, l + 16, l + 32, …; at the end the lanes
// are added in order.
static double sum_of_products(const float *a, const float *b, size_t count)
{
    double lane[LANES] = {0};
    size_t whole = count / LANES * LANES;
    if (b) {
        for (size_t i = 0; i < whole; i += LANES)
            for (int l = 0; l < LANES; l++)
                lane[l] = __builtin_fma((double)a[i + l], (double)b[i + l], lane[l]);
        for (size_t i = whole; i < count; i++)
            lane[i - whole] = __builtin_fma((double)a[i], (double)b[i], lane[i - whole]);
    } else {
        for (size_t i = 0; i < whole; i += LANES)
            for (int l = 0; l < LANES; l++) lane[l] += (double)a[i + l];
        for (size_t i = whole; i < count; i++) lane[i - whole] += (double)a[i];
    }
    double total = 0.0;
    for (int l = 0; l < LANES; l++) total += lane[l];
    return total;
}

void row_sums_at(Place place, Matrix out, Matrix m)
{
    need_column(place, "row_sums", m, out);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows,
                 out.data[i] = (float)sum_of_products(matrix_row(m, i), NULL, (size_t)m.cols));
}

// The index of the first largest value; a NaN counts as the largest, so that it is never hidden.
static int first_largest(const float *values, int count)
{
    int best = 0;
    for (int j = 1; j < count; j++)
        if (values[j] > values[best] || (isnan(values[j]) && !isnan(values[best]))) best = j;
    return best;
}

void row_maxima_at(Place place, Matrix out, Matrix m)
{
    need_column(place, "row_maxima", m, out);
    check_at(place, m.cols > 0, "a maximum needs at least one column", "row_maxima: a (%d × %d) matrix",
             m.rows, m.cols);
    PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows,
                 out.data[i] = AT(m, i, first_largest(matrix_row(m, i), m.cols)));
}

void row_argmax(int *out, Matrix m)
{
    check(m.cols > 0 || m.rows == 0, "a maximum needs at least one column", "row_argmax: a (%d × %d) matrix",
          m.rows, m.cols);
    for (int i = 0; i < m.rows; i++) {
        const float *row = matrix_row(m, i);
        const int best = first_largest(row, m.cols);
        check(!isnan(row[best]), "look for a division by zero or a run that diverged",
              "row_argmax: row %d has no largest value: column %d holds a NaN", i, best);
        out[i] = best;
    }
}

double matrix_sum_at(Place place, Matrix m)
{
    need_numbers(place, "sum", m);
    return sum_of_products(m.data, NULL, matrix_size(m));
}

double matrix_mean_at(Place place, Matrix m)
{
    need_numbers(place, "mean", m);
    return sum_of_products(m.data, NULL, matrix_size(m)) / (double)matrix_size(m);
}

double sum_of_squares_at(Place place, Matrix m)
{
    need_numbers(place, "sum_of_squares", m);
    return sum_of_products(m.data, m.data, matrix_size(m));
}

double matrix_norm_at(Place place, Matrix m)
{
    need_numbers(place, "norm", m);
    return sqrt(sum_of_products(m.data, m.data, matrix_size(m)));
}

double dot_at(Place place, Matrix a, Matrix b)
{
    need_same(place, "dot", a, b);
    return sum_of_products(a.data, b.data, matrix_size(a));
}

float largest_difference_at(Place place, Matrix a, Matrix b)
{
    need_same(place, "largest_difference", a, b);
    float most = 0.0f;
    for (size_t i = 0; i < matrix_size(a); i++) {
        float difference = fabsf(a.data[i] - b.data[i]);
        if (isnan(difference)) return NAN;
        if (difference > most) most = difference;
    }
    return most;
}

float matrix_smallest(Matrix m)
{
    float least = INFINITY;
    for (size_t i = 0; i < matrix_size(m); i++) {
        if (isnan(m.data[i])) return NAN;
        if (m.data[i] < least) least = m.data[i];
    }
    return least;
}

float matrix_largest(Matrix m)
{
    float most = -INFINITY;
    for (size_t i = 0; i < matrix_size(m); i++) {
        if (isnan(m.data[i])) return NAN;
        if (m.data[i] > most) most = m.data[i];
    }
    return most;
}

bool all_finite(Matrix m)
{
    for (size_t i = 0; i < matrix_size(m); i++)
        if (!isfinite(m.data[i])) return false;
    return true;
}

// ---- Moving -----------------------------------------------------------------------------------------------

void transpose_at(Place place, Matrix out, Matrix m)
{
    check_at(place, out.rows == m.cols && out.cols == m.rows,
             "the result has as many rows as the matrix has columns", "transpose: (%d × %d) into (%d × %d)",
             m.rows, m.cols, out.rows, out.cols);
    need_apart(place, "transpose", out, m);
    enum { TILE = 16 }; // 16 floats are one cache line: a tile is read and written by whole lines
#pragma omp parallel for if (parallel_worth(matrix_size(m)))
    for (int i0 = 0; i0 < m.rows; i0 += TILE)
        for (int j0 = 0; j0 < m.cols; j0 += TILE)
            for (int i = i0; i < int_min(m.rows, i0 + TILE); i++)
                for (int j = j0; j < int_min(m.cols, j0 + TILE); j++) AT(out, j, i) = AT(m, i, j);
}

void gather_rows_at(Place place, Matrix out, Matrix m, const int *indices)
{
    check_at(place, out.cols == m.cols,
             "rows keep their length: both matrices need the same number of columns",
             "gather_rows: rows of (%d × %d) into (%d × %d)", m.rows, m.cols, out.rows, out.cols);
    need_apart(place, "gather_rows", out, m);
    for (int i = 0; i < out.rows; i++)
        check_at(place, indices[i] >= 0 && indices[i] < m.rows, "row numbers run from 0",
                 "gather_rows: index %d (number %d) into a (%d × %d) matrix", indices[i], i, m.rows, m.cols);
    for (int i = 0; i < out.rows; i++)
        memcpy(matrix_row(out, i), matrix_row(m, indices[i]), (size_t)m.cols * sizeof(float));
}

void copy_columns_at(Place place, Matrix out, int to, Matrix m, int from, int count)
{
    check_at(place, out.rows == m.rows, "both matrices need the same number of rows",
             "copy_columns: (%d × %d) into (%d × %d)", m.rows, m.cols, out.rows, out.cols);
    check_at(place, count >= 0 && from >= 0 && to >= 0 && from <= m.cols - count && to <= out.cols - count,
             "the block must lie inside both matrices",
             "copy_columns: %d from column %d of (%d × %d) to column %d of (%d × %d)", count, from, m.rows,
             m.cols, to, out.rows, out.cols);
    for (int i = 0; i < m.rows; i++) memmove(&AT(out, i, to), &AT(m, i, from), (size_t)count * sizeof(float));
}

// ---- Products ---------------------------------------------------------------------------------------------

static void product_with_rows(Place place, const char *name, Matrix out, Matrix a, Matrix b, GemmShape shape,
                              GemmRows rows)
{
    shape.m = shape.transpose_a ? a.cols : a.rows;
    shape.k = shape.transpose_a ? a.rows : a.cols;
    shape.n = shape.transpose_b ? b.rows : b.cols;
    int inner = shape.transpose_b ? b.cols : b.rows;
    const char *mark_a = shape.transpose_a ? "ᵀ" : "", *mark_b = shape.transpose_b ? "ᵀ" : "";
    check_at(place, shape.k == inner, "the columns of the first factor must equal the rows of the second",
             "%s: (%d × %d)%s · (%d × %d)%s: %d columns meet %d rows", name, a.rows, a.cols, mark_a, b.rows,
             b.cols, mark_b, shape.k, inner);
    check_at(place, out.rows == shape.m && out.cols == shape.n, "give the result this shape",
             "%s: (%d × %d)%s · (%d × %d)%s is (%d × %d), not (%d × %d)", name, a.rows, a.cols, mark_a,
             b.rows, b.cols, mark_b, shape.m, shape.n, out.rows, out.cols);
    need_apart(place, name, out, a);
    need_apart(place, name, out, b);
    gemm_with_rows(shape, a.data, a.cols, b.data, b.cols, out.data, out.cols, rows);
}

static void product(Place place, const char *name, Matrix out, Matrix a, Matrix b, GemmShape shape)
{
    product_with_rows(place, name, out, a, b, shape, (GemmRows){0});
}

void matmul_at(Place place, Matrix out, Matrix a, Matrix b)
{
    product(place, "matmul", out, a, b, (GemmShape){0});
}

void matmul_tn_at(Place place, Matrix out, Matrix a, Matrix b)
{
    product(place, "matmul_tn", out, a, b, (GemmShape){.transpose_a = true});
}

void matmul_nt_at(Place place, Matrix out, Matrix a, Matrix b)
{
    product(place, "matmul_nt", out, a, b, (GemmShape){.transpose_b = true});
}

void matmul_add_at(Place place, Matrix out, Matrix a, Matrix b)
{
    product(place, "matmul_add", out, a, b, (GemmShape){.accumulate = true});
}

void matmul_tn_add_at(Place place, Matrix out, Matrix a, Matrix b)
{
    product(place, "matmul_tn_add", out, a, b, (GemmShape){.transpose_a = true, .accumulate = true});
}

void matmul_nt_add_at(Place place, Matrix out, Matrix a, Matrix b)
{
    product(place, "matmul_nt_add", out, a, b, (GemmShape){.transpose_b = true, .accumulate = true});
}

void matmul_with_rows_at(Place place, Matrix out, Matrix a, Matrix b, const GemmRows *rows)
{
    product_with_rows(place, "matmul", out, a, b, (GemmShape){0}, *rows);
}

void matmul_nt_with_rows_at(Place place, Matrix out, Matrix a, Matrix b, bool accumulate,
                            const GemmRows *rows)
{
    product_with_rows(place, accumulate ? "matmul_nt_add" : "matmul_nt", out, a, b,
                      (GemmShape){.transpose_b = true, .accumulate = accumulate}, *rows);
}
