// pca.c: see pca.h. Of N rows and d columns, the smaller of two matrices is solved: YᵀY (d × d), Y = X − mean, whose
// eigenvectors are the components; or, with fewer rows than columns, YYᵀ (N × N), whose eigenvectors u give them as Yᵀu.
#include "models/pca.h"
#include "base/parallel.h"
#include "matrix/columns.h"
#include "matrix/gemm.h"
#include "matrix/symmetric.h"

#include <math.h>
#include <string.h>

enum { ROWS_AT_ONCE = 512, COLUMNS_AT_ONCE = 128 };

// y ← rows of x without the mean, which is mean + rest
static void centre_rows(Matrix y, Matrix x, Matrix mean, Matrix rest)
{
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
    for (int i = 0; i < x.rows; i++) {
        const float *from = matrix_row(x, i);
        float *to = matrix_row(y, i);
        for (int j = 0; j < x.cols; j++) to[j] = from[j] - mean.data[j] - rest.data[j];
    }
}

// gram (d × d) ← the lower triangle of YᵀY, divided by N
static double *gram_of_columns(Place place, Arena *arena, Matrix x, Matrix mean, Matrix rest)
{
    const int d = x.cols;
    const size_t size = size_product(place, (size_t)d, (size_t)d);
    double *gram = arena_zeros_at(place, arena, size, sizeof *gram);
    float *part = arena_alloc_at(place, arena, size, sizeof *part);
    Matrix buffer = matrix_uninitialised_at(place, arena, int_min(x.rows, ROWS_AT_ONCE), d);
    for (int first = 0; first < x.rows; first += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, x.rows - first);
        centre_rows(buffer, matrix_rows(x, first, count), mean, rest);
        for (int i = 0; i < d; i += COLUMNS_AT_ONCE) {
            const int height = int_min(COLUMNS_AT_ONCE, d - i);
            gemm((GemmShape){.m = height, .n = i + height, .k = count, .transpose_a = true}, buffer.data + i,
                 d, buffer.data, d, part + (size_t)i * (size_t)d, d);
        }
#pragma omp parallel for if (parallel_worth(size))
        for (int i = 0; i < d; i++) {
            const size_t row = (size_t)i * (size_t)d;
            for (int j = 0; j <= i; j++) gram[row + (size_t)j] += (double)part[row + (size_t)j];
        }
    }
    for (size_t i = 0; i < size; i++) gram[i] /= x.rows;
    return gram;
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

// components (k × d) and variances [k] from the eigenvectors of YYᵀ / N; y (N × d)
static void solve_by_rows(Place place, Arena *arena, double *variances, double *components, const double *y,
                          int rows, int d, int k)
{
    const size_t width = (size_t)d, height = (size_t)rows;
    double *gram = arena_alloc_at(place, arena, height * height, sizeof *gram),
           *vectors = arena_alloc_at(place, arena, (size_t)k * height, sizeof *vectors);
#pragma omp parallel for schedule(dynamic) if (parallel_worth(height * height * width))
    for (int i = 0; i < rows; i++)
        for (int j = 0; j <= i; j++)
            gram[(size_t)i * height + (size_t)j] =
                dot_product(y + (size_t)i * width, y + (size_t)j * width, d) / rows;
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
}

// ---- Fit ----------------------------------------------------------------------------------------------------

static void check_fit(Place place, Matrix x, int k)
{
    check_at(place, x.rows > 0 && x.cols > 0 && k > 0 && k <= int_min(x.rows, x.cols),
             "at least one component, and no more than rows or columns",
             "pca_fit: %d components of x (%d × %d)", k, x.rows, x.cols);
    check_at(place, all_finite(x), "look for a gap in the data or a division by zero",
             "pca_fit: x holds a NaN or an infinity");
}

Pca pca_fit_at(Place place, Arena *arena, Matrix x, int k)
{
    check_fit(place, x, k);
    const int d = x.cols;
    Pca pca = {.mean = matrix_new_at(place, arena, 1, d),
               .components = matrix_new_at(place, arena, k, d),
               .variances = matrix_new_at(place, arena, 1, k)};
    Arena *scratch = arena_new();
    Matrix rest = matrix_new(scratch, 1, d), spread = matrix_new(scratch, 1, d);
    column_moments_in_two(pca.mean, rest, spread, x);
    for (int j = 0; j < d; j++) pca.total_variance += (double)spread.data[j];
    double *variances = arena_alloc(scratch, (size_t)k, sizeof *variances),
           *components = arena_alloc(scratch, (size_t)k * (size_t)d, sizeof *components);
    if (x.rows < d) {
        Matrix y = matrix_uninitialised(scratch, x.rows, d);
        centre_rows(y, x, pca.mean, rest);
        double *wide = arena_alloc(scratch, matrix_size(y), sizeof *wide);
        for (size_t i = 0; i < matrix_size(y); i++) wide[i] = (double)y.data[i];
        solve_by_rows(place, scratch, variances, components, wide, x.rows, d, k);
    } else {
        const double *gram = gram_of_columns(place, scratch, x, pca.mean, rest);
        symmetric_largest_of_doubles_at(place, variances, components, gram, d, k);
    }
    for (int c = 0; c < k; c++) pca.variances.data[c] = (float)fmax(variances[c], 0.0);
    for (size_t i = 0; i < matrix_size(pca.components); i++) pca.components.data[i] = (float)components[i];
    check_at(place, all_finite(pca.variances) && all_finite(pca.components) && isfinite(pca.total_variance),
             "bring the columns to sizes near 1", "pca_fit: a variance is larger than any float");
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
    const Matrix nothing = matrix_new(arena, 1, d),
                 buffer = matrix_uninitialised(arena, int_min(x.rows, ROWS_AT_ONCE), d);
    for (int first = 0; first < x.rows; first += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, x.rows - first);
        const Matrix rows = matrix_rows(buffer, 0, count);
        centre_rows(rows, matrix_rows(x, first, count), pca->mean, nothing);
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
