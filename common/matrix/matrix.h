// matrix.h: a matrix of 32-bit floats, and what can be done with its elements, rows and columns.
//
// Rows are positions (examples, pixels, time steps, tokens, graph nodes); columns are features. A Matrix is three words,
// passed by value, and owns nothing: its numbers live in an arena or in any array of yours. Row-major, no gaps, so a
// range of rows and a reshape are free views.
//
//     Matrix x = matrix_new(arena, 442, 10), w = matrix_new(arena, 10, 1), y = matrix_new(arena, 442, 1);
//     matmul(y, x, w);                                  // y = x · w
//
// The first argument of an operation is where the result goes. Unless said otherwise, it may be one of the inputs
// (an element-wise operation in place) but must not overlap them in part; products and transposes never in place.
// Every operation checks its shapes and stops with the place of the call, both shapes and a hint.
//
// Sums: one fixed order, whatever the threads or the vector width (DESIGN: the same bits everywhere).
//
// Names that are one common word (add, copy, sum, …) are macros for longer ones: matrix/own_words.h gives them free for
// functions of one's own.
#pragma once
#include "base/arena.h"
#include "base/rng.h"

typedef struct {
    int rows, cols;
    float *data; // element (i, j) is data[i · cols + j]
} Matrix;

// The element (i, j) of m, to read or to write.
#define AT(m, i, j) ((m).data[(size_t)(i) * (size_t)(m).cols + (size_t)(j)])

static inline size_t matrix_size(Matrix m) { return (size_t)m.rows * (size_t)m.cols; }
static inline float *matrix_row(Matrix m, int i) { return m.data + (size_t)i * (size_t)m.cols; }

// ---- Making matrices and views -------------------------------------------------------------------------------------

#define matrix_new(arena, rows, cols) matrix_new_at(HERE, arena, rows, cols) // all zeros
#define matrix_uninitialised(arena, rows, cols)                                                              \
    matrix_uninitialised_at(HERE, arena, rows, cols) // to be overwritten
#define matrix_copy(arena, m) matrix_copy_at(HERE, arena, m)
#define matrix_from(arena, rows, cols, values)                                                               \
    matrix_from_at(HERE, arena, rows, cols, values) // copies rows·cols floats
Matrix matrix_new_at(Place place, Arena *arena, int rows, int cols);
Matrix matrix_uninitialised_at(Place place, Arena *arena, int rows, int cols);
Matrix matrix_copy_at(Place place, Arena *arena, Matrix m);
Matrix matrix_from_at(Place place, Arena *arena, int rows, int cols, const float *values);

#define matrix_view(rows, cols, data) matrix_view_at(HERE, rows, cols, data) // your array, seen as a matrix
#define matrix_rows(m, first, count)                                                                         \
    matrix_rows_at(HERE, m, first, count) // rows first … first+count−1, a view
#define matrix_reshape(m, rows, cols)                                                                        \
    matrix_reshape_at(HERE, m, rows, cols) // the same numbers in another shape
Matrix matrix_view_at(Place place, int rows, int cols, float *data);
Matrix matrix_rows_at(Place place, Matrix m, int first, int count);
Matrix matrix_reshape_at(Place place, Matrix m, int rows, int cols);

bool same_shape(Matrix a, Matrix b);

// Prints at most 8 rows and 8 columns, with the shape: "3 × 2" and the numbers with the given printf digits after the point.
void matrix_print(FILE *file, const char *name, Matrix m, int digits);

// ---- Filling --------------------------------------------------------------------------------------------------------

#define fill(m, value) matrix_fill(m, value)
void matrix_fill(Matrix m, float value);
void fill_uniform(Matrix m, Rng *rng, float low, float high); // row by row, in memory order
void fill_normal(Matrix m, Rng *rng, float mean, float deviation);
#define copy(out, m) copy_at(HERE, out, m)
void copy_at(Place place, Matrix out, Matrix m);

// ---- Element by element: shapes equal --------------------------------------------------------------------------------

#define add(out, a, b)        add_at(HERE, out, a, b)        // out = a + b
#define subtract(out, a, b)   subtract_at(HERE, out, a, b)   // out = a − b
#define multiply(out, a, b)   multiply_at(HERE, out, a, b)   // out = a ⊙ b (Hadamard)
#define divide(out, a, b)     divide_at(HERE, out, a, b)     // out = a ⊘ b
#define add_scaled(out, s, a) add_scaled_at(HERE, out, s, a) // out = out + s · a
void add_at(Place place, Matrix out, Matrix a, Matrix b);
void subtract_at(Place place, Matrix out, Matrix a, Matrix b);
void multiply_at(Place place, Matrix out, Matrix a, Matrix b);
void divide_at(Place place, Matrix out, Matrix a, Matrix b);
void add_scaled_at(Place place, Matrix out, float s, Matrix a);
#define scale(m, s) matrix_scale(m, s) // m = s · m
void matrix_scale(Matrix m, float s);
void add_scalar(Matrix m, float s); // m = m + s

// ---- A row or a column against every row or column --------------------------------------------------------------------
// row is (1 × C), column is (N × 1), m is (N × C); all in place.

#define add_row(m, row)            add_row_at(HERE, m, row)            // m_ij = m_ij + row_j   (a bias)
#define subtract_row(m, row)       subtract_row_at(HERE, m, row)       // m_ij = m_ij − row_j
#define multiply_row(m, row)       multiply_row_at(HERE, m, row)       // m_ij = m_ij · row_j
#define divide_row(m, row)         divide_row_at(HERE, m, row)         // m_ij = m_ij / row_j
#define add_column(m, column)      add_column_at(HERE, m, column)      // m_ij = m_ij + column_i
#define multiply_column(m, column) multiply_column_at(HERE, m, column) // m_ij = m_ij · column_i
void add_row_at(Place place, Matrix m, Matrix row);
void subtract_row_at(Place place, Matrix m, Matrix row);
void multiply_row_at(Place place, Matrix m, Matrix row);
void divide_row_at(Place place, Matrix m, Matrix row);
void add_column_at(Place place, Matrix m, Matrix column);
void multiply_column_at(Place place, Matrix m, Matrix column);

// ---- Reductions ---------------------------------------------------------------------------------------------------------
// Down the rows gives one value for each column (1 × C); along a row gives one for each row (N × 1).
// Long sums are kept in double precision with a fixed number of lanes. A NaN is never hidden: sums, means, norms, maxima
// and minima of what holds one are NaN.

#define column_sums(out, m)  column_sums_at(HERE, out, m)  // out (1 × C)
#define column_means(out, m) column_means_at(HERE, out, m) // out (1 × C)
#define column_variances(out, m)                                                                             \
    column_variances_at(HERE, out, m) // out (1 × C): mean squared distance from the mean (1/N)
#define row_sums(out, m)   row_sums_at(HERE, out, m)   // out (N × 1)
#define row_maxima(out, m) row_maxima_at(HERE, out, m) // out (N × 1)
void column_sums_at(Place place, Matrix out, Matrix m);
void column_means_at(Place place, Matrix out, Matrix m);
void column_variances_at(Place place, Matrix out, Matrix m);
void row_sums_at(Place place, Matrix out, Matrix m);
void row_maxima_at(Place place, Matrix out, Matrix m);
// out[i] = the first column of row i that holds its largest value; stops at a row with a NaN, which has none
void row_argmax(int *out, Matrix m);

#define sum(m)            matrix_sum_at(HERE, m)
#define mean(m)           matrix_mean_at(HERE, m) // NaN when there is no element
#define norm(m)           matrix_norm_at(HERE, m) // Frobenius: √Σ m²; finite for all finite elements
#define sum_of_squares(m) sum_of_squares_at(HERE, m)
double matrix_sum_at(Place place, Matrix m);
double matrix_mean_at(Place place, Matrix m);
double matrix_norm_at(Place place, Matrix m);
double sum_of_squares_at(Place place, Matrix m);
#define dot(a, b) dot_at(HERE, a, b) // Σ a_ij b_ij
#define largest_difference(a, b)                                                                             \
    largest_difference_at(HERE, a, b) // max |a_ij − b_ij|; NaN if any difference is NaN
double dot_at(Place place, Matrix a, Matrix b);
float largest_difference_at(Place place, Matrix a, Matrix b);
#define smallest(m) matrix_smallest(m) // ∞ when there is no element
#define largest(m)  matrix_largest(m)  // −∞ when there is no element
float matrix_smallest(Matrix m);
float matrix_largest(Matrix m);
bool all_finite(Matrix m); // no NaN and no infinity

// ---- Moving ---------------------------------------------------------------------------------------------------------------

#define transpose(out, m)            transpose_at(HERE, out, m)            // out (C × N)
#define gather_rows(out, m, indices) gather_rows_at(HERE, out, m, indices) // out row i = m row indices[i]
#define copy_columns(out, to, m, from, count)                                                                \
    copy_columns_at(HERE, out, to, m, from, count) // a block of columns
void transpose_at(Place place, Matrix out, Matrix m);
void gather_rows_at(Place place, Matrix out, Matrix m,
                    const int *indices); // out.rows indices, each in 0 … m.rows−1
void copy_columns_at(Place place, Matrix out, int to, Matrix m, int from, int count);

// ---- Products: see gemm.h for how they are made fast -------------------------------------------------------------------------
// The _add forms accumulate into out. tn takes the first factor transposed, nt the second.

#define matmul(out, a, b)        matmul_at(HERE, out, a, b)        // (M × K) · (K × N) → (M × N)
#define matmul_tn(out, a, b)     matmul_tn_at(HERE, out, a, b)     // (K × M)ᵀ · (K × N) → (M × N)
#define matmul_nt(out, a, b)     matmul_nt_at(HERE, out, a, b)     // (M × K) · (N × K)ᵀ → (M × N)
#define matmul_add(out, a, b)    matmul_add_at(HERE, out, a, b)    // out += a · b
#define matmul_tn_add(out, a, b) matmul_tn_add_at(HERE, out, a, b) // out += aᵀ · b
#define matmul_nt_add(out, a, b) matmul_nt_add_at(HERE, out, a, b) // out += a · bᵀ
void matmul_at(Place place, Matrix out, Matrix a, Matrix b);
void matmul_tn_at(Place place, Matrix out, Matrix a, Matrix b);
void matmul_nt_at(Place place, Matrix out, Matrix a, Matrix b);
void matmul_add_at(Place place, Matrix out, Matrix a, Matrix b);
void matmul_tn_add_at(Place place, Matrix out, Matrix a, Matrix b);
void matmul_nt_add_at(Place place, Matrix out, Matrix a, Matrix b);

// The same with work on the rows of a before, or on those of out behind: gemm.h has the type.
struct GemmRows;
#define matmul_with_rows(out, a, b, rows) matmul_with_rows_at(HERE, out, a, b, rows)
#define matmul_nt_with_rows(out, a, b, accumulate, rows)                                                     \
    matmul_nt_with_rows_at(HERE, out, a, b, accumulate, rows)
void matmul_with_rows_at(Place place, Matrix out, Matrix a, Matrix b, const struct GemmRows *rows);
void matmul_nt_with_rows_at(Place place, Matrix out, Matrix a, Matrix b, bool accumulate,
                            const struct GemmRows *rows);
