// pca.c: see pca.h. Of N rows and d columns, the smaller of two matrices is solved: YᵀY (d × d), Y = X − mean, whose
// eigenvectors are the components; or, with fewer rows than columns, YYᵀ (N × N), whose eigenvectors u give them as Yᵀu.
#include "models/pca.h"
#include "base/parallel.h"
#include "matrix/gemm.h"
#include "matrix/lanes.h"
#include "matrix/symmetric.h"

#include <float.h>
#include <math.h>
#include <string.h>

// A sum of floats goes over ROWS_AT_ONCE rows of x, and is then added to one of doubles. A thread computes a piece of at most
// PIECE_ROWS × PIECE_COLUMNS of the covariance matrix at a time; 42 is a multiple of the rows of a tile of the product, 14 or 6.
enum { ROWS_AT_ONCE = 512, PIECE_ROWS = 42, PIECE_COLUMNS = 256, PIECE = PIECE_ROWS * PIECE_COLUMNS };

// The mean of rows of x, at most 512 and evenly spaced, as floats: a place in their midst
static Matrix place_amidst(Arena *arena, Matrix x)
{
    const int count = int_min(x.rows, ROWS_AT_ONCE);
    int *chosen = arena_alloc(arena, (size_t)count, sizeof *chosen);
    for (int i = 0; i < count; i++) chosen[i] = (int)((long)i * x.rows / count);
    Matrix some = matrix_uninitialised(arena, count, x.cols), amidst = matrix_uninitialised(arena, 1, x.cols);
    gather_rows(some, x, chosen);
    column_means(amidst, some);
    return amidst;
}

// y ← x − origin, both d numbers
static void subtract_origin(float *y, const float *x, const float *origin, int d)
{
    for (int j = 0; j < d; j++) y[j] = x[j] - origin[j];
}

// Some rows of x − origin, step floats apart. Behind its d columns stands one of ones, with which the product gives their sums.
typedef struct {
    float *y;
    int rows, d, step;
} Centred;

// A piece of the lower triangle of YᵀY
typedef struct {
    int row, column, height, width;
} Piece;

// The triangle and the row of sums below it, cut into pieces; how many there are
static int cut_into_pieces(Piece *pieces, int d)
{
    int count = 0;
    for (int i = 0; i <= d; i += PIECE_ROWS) {
        const int height = int_min(PIECE_ROWS, d + 1 - i), columns = i + height;
        for (int j = 0; j < columns; j += PIECE_COLUMNS)
            pieces[count++] = (Piece){i, j, height, int_min(PIECE_COLUMNS, columns - j)};
    }
    return count;
}

// gram (d × d) and sums [d], which is its row d, receive a piece of the rows' YᵀY; part: scratch, PIECE floats
static void add_piece(double *gram, double *sums, Piece p, Centred rows, float *part)
{
    gemm((GemmShape){.m = p.height, .n = p.width, .k = rows.rows, .transpose_a = true}, rows.y + p.row,
         rows.step, rows.y + p.column, rows.step, part, PIECE_COLUMNS);
    for (int i = 0; i < p.height; i++) {
        const int row = p.row + i, width = int_min(p.width, int_min(row + 1, rows.d) - p.column);
        double *to = (row < rows.d ? gram + (size_t)row * (size_t)rows.d : sums) + p.column;
        const float *from = part + (size_t)i * PIECE_COLUMNS;
        for (int j = 0; j < width; j++) to[j] += (double)from[j];
    }
}

// gram (d × d) ← the lower triangle of the covariance matrix; offset [d] ← the mean of x − origin.
static void covariance_by_columns(Place place, Arena *arena, double *gram, double *offset, Matrix x,
                                  const float *origin)
{
    const int d = x.cols, most = int_min(x.rows, ROWS_AT_ONCE);
    Centred y = {.d = d, .step = (d + 1 + LANES - 1) / LANES * LANES};
    const size_t width = (size_t)d, step = (size_t)y.step, lines = width / PIECE_ROWS + 1;
    y.y = arena_alloc_at(place, arena, size_product(place, (size_t)most, step), sizeof *y.y);
    Piece *pieces = arena_alloc_at(place, arena, lines * (width / PIECE_COLUMNS + 1), sizeof *pieces);
    const int count = cut_into_pieces(pieces, d);
    float *parts = arena_alloc_at(place, arena, (size_t)parallel_threads() * PIECE, sizeof *parts);
    memset(gram, 0, width * width * sizeof *gram);
    memset(offset, 0, width * sizeof *offset);
#pragma omp parallel if (parallel_worth(width * matrix_size(x))) firstprivate(y)
    {
        cores_keep_apart();
        for (int first = 0; first < x.rows; first += ROWS_AT_ONCE) {
            y.rows = int_min(ROWS_AT_ONCE, x.rows - first);
#pragma omp for
            for (int i = 0; i < y.rows; i++) {
                float *row = y.y + (size_t)i * step;
                subtract_origin(row, matrix_row(x, first + i), origin, d);
                row[d] = 1.0f;
            }
#pragma omp for schedule(dynamic)
            for (int i = 0; i < count; i++)
                add_piece(gram, offset, pieces[i], y, parts + (size_t)parallel_number() * PIECE);
        }
    }
    for (int j = 0; j < d; j++) offset[j] /= x.rows;
    for (int i = 0; i < d; i++)
        for (int j = 0; j <= i; j++) {
            double *element = gram + (size_t)i * width + (size_t)j;
            *element = *element / x.rows - offset[i] * offset[j];
        }
}

static double dot_product(const double *a, const double *b, int count)
{
    enum { WAYS = 8 };
    double total[WAYS] = {0};
    int j = 0;
    for (; j + WAYS <= count; j += WAYS)
        for (int l = 0; l < WAYS; l++) total[l] += a[j + l] * b[j + l];
    for (int l = 0; j < count; j++, l++) total[l] += a[j] * b[j];
    return ((total[0] + total[4]) + (total[2] + total[6])) + ((total[1] + total[5]) + (total[3] + total[7]));
}

// ---- Fewer rows than columns --------------------------------------------------------------------------------

// v ← v without its part along the count rows of others (d each), at length 1; false if next to nothing is left
static bool orthonormalise(double *v, const double *others, int count, int d)
{
    const double before = dot_product(v, v, d);
    for (int round = 0; round < 2; round++) // once is not enough when little is left
        for (int i = 0; i < count; i++) {
            const double *other = others + (size_t)i * (size_t)d, inner = dot_product(v, other, d);
            for (int j = 0; j < d; j++) v[j] -= inner * other[j];
        }
    const double square = dot_product(v, v, d);
    if (!(square > 0.5 / d * before)) return false;
    for (int j = 0; j < d; j++) v[j] /= sqrt(square);
    return true;
}

// The same from the eigenvectors of YYᵀ / N: components (k × d), variances [k], offset [d] and the total variance
static double solve_by_rows(Place place, Arena *arena, double *variances, double *components, double *offset,
                            Matrix x, const float *origin, int k)
{
    const int d = x.cols, rows = x.rows;
    const size_t width = (size_t)d, height = (size_t)rows;
    double *y = arena_alloc_at(place, arena, matrix_size(x), sizeof *y),
           *gram = arena_alloc_at(place, arena, size_product(place, height, height), sizeof *gram),
           *vectors = arena_alloc_at(place, arena, (size_t)k * height, sizeof *vectors), total = 0.0;
    for (int j = 0; j < d; j++) {
        offset[j] = 0.0;
        for (int i = 0; i < rows; i++) offset[j] += ((double)AT(x, i, j) - (double)origin[j]) / rows;
        for (int i = 0; i < rows; i++)
            y[(size_t)i * width + (size_t)j] = (double)AT(x, i, j) - (double)origin[j] - offset[j];
    }
#pragma omp parallel for schedule(dynamic) if (parallel_worth(height * height * width))
    for (int i = 0; i < rows; i++)
        for (int j = 0; j <= i; j++)
            gram[(size_t)i * height + (size_t)j] =
                dot_product(y + (size_t)i * width, y + (size_t)j * width, d) / rows;
    for (size_t i = 0; i < height; i++) total += gram[i * height + i];
    symmetric_largest_of_doubles_at(place, variances, vectors, gram, rows, k);
    for (int c = 0, unit = 0; c < k; c++) {
        double *v = components + (size_t)c * width;
        memset(v, 0, width * sizeof *v);
        for (size_t i = 0; i < height; i++)
            for (size_t j = 0; j < width; j++) v[j] += vectors[(size_t)c * height + i] * y[i * width + j];
        bool found = variances[c] > 1e-12 * variances[0] && orthonormalise(v, components, c, d);
        for (; !found; unit++) { // no direction is left in which rows vary: any other
            memset(v, 0, width * sizeof *v);
            v[unit] = 1.0;
            found = orthonormalise(v, components, c, d);
        }
    }
    return total;
}

// ---- Fit ----------------------------------------------------------------------------------------------------

// What is not finite, or has no finite square, is seen in the total variance, at no price.
static void check_total(Place place, double total, Matrix x)
{
    if (isfinite(total) && total <= (double)FLT_MAX) return;
    check_at(place, all_finite(x), "look for a gap in the data or a division by zero",
             "pca_fit: x holds a NaN or an infinity");
    die_at(place, "bring the columns to sizes near 1", "pca_fit: a variance is larger than any float");
}

Pca pca_fit_at(Place place, Arena *arena, Matrix x, int k)
{
    const int d = x.cols;
    check_at(place, x.rows > 0 && d > 0 && k > 0 && k <= int_min(x.rows, d),
             "at least one component, and no more than rows or columns",
             "pca_fit: %d components of x (%d × %d)", k, x.rows, d);
    Pca pca = {.mean = matrix_new_at(place, arena, 1, d),
               .components = matrix_new_at(place, arena, k, d),
               .variances = matrix_new_at(place, arena, 1, k)};
    Arena *scratch = arena_new();
    const Matrix origin = place_amidst(scratch, x);
    const size_t width = (size_t)d;
    double *variances = arena_alloc(scratch, (size_t)k, sizeof *variances),
           *components = arena_alloc(scratch, (size_t)k * width, sizeof *components),
           *offset = arena_alloc(scratch, width, sizeof *offset);
    if (x.rows < d) {
        check_total(place, sum_of_squares(x), x);
        pca.total_variance = solve_by_rows(place, scratch, variances, components, offset, x, origin.data, k);
    } else {
        double *gram = arena_alloc_at(place, scratch, size_product(place, width, width), sizeof *gram);
        covariance_by_columns(place, scratch, gram, offset, x, origin.data);
        for (size_t j = 0; j < width; j++) pca.total_variance += gram[j * width + j];
        check_total(place, pca.total_variance, x);
        symmetric_largest_of_doubles_at(place, variances, components, gram, d, k);
    }
    for (int j = 0; j < d; j++) pca.mean.data[j] = (float)((double)origin.data[j] + offset[j]);
    for (int c = 0; c < k; c++) pca.variances.data[c] = (float)fmax(variances[c], 0.0);
    for (size_t i = 0; i < matrix_size(pca.components); i++) pca.components.data[i] = (float)components[i];
    arena_free(scratch);
    return pca;
}

// ---- Scores -------------------------------------------------------------------------------------------------

void pca_project_at(Place place, Matrix scores, const Pca *pca, Matrix x)
{
    const int d = pca->mean.cols, k = pca->components.rows;
    check_at(place, x.cols == d && scores.rows == x.rows && scores.cols == k,
             "x has the columns of pca_fit, scores one column for each component",
             "pca_project: x (%d × %d), scores (%d × %d), components (%d × %d)", x.rows, x.cols, scores.rows,
             scores.cols, k, d);
    Arena *arena = arena_new();
    const Matrix buffer = matrix_uninitialised(arena, int_min(x.rows, ROWS_AT_ONCE), d);
    for (int first = 0; first < x.rows; first += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, x.rows - first);
        const Matrix rows = matrix_rows(buffer, 0, count);
        PARALLEL_FOR(parallel_worth(matrix_size(rows)), i, count,
                     subtract_origin(matrix_row(rows, i), matrix_row(x, first + i), pca->mean.data, d));
        matmul_nt(matrix_rows(scores, first, count), rows, pca->components);
    }
    arena_free(arena);
}

void pca_rebuild_at(Place place, Matrix x, const Pca *pca, Matrix scores)
{
    const int d = pca->mean.cols, k = pca->components.rows;
    check_at(place, x.cols == d && scores.rows == x.rows && scores.cols <= k && scores.cols > 0,
             "x has the columns of pca_fit, scores at most one column for each component",
             "pca_rebuild: x (%d × %d), scores (%d × %d), components (%d × %d)", x.rows, x.cols, scores.rows,
             scores.cols, k, d);
    matmul(x, scores, matrix_rows(pca->components, 0, scores.cols));
    add_row(x, pca->mean);
}
