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

// 84 is a multiple of the rows of a tile of the product, 14 or 6.
enum { ROWS_AT_ONCE = 512, COLUMNS_AT_ONCE = 84 };

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

// y (rows as x, at least d columns apart) ← x − origin in its first d columns
static void subtract_origin(float *y, int step, Matrix x, const float *origin)
{
    PARALLEL_FOR(parallel_worth(matrix_size(x)), i, x.rows, {
        const float *from = matrix_row(x, i);
        float *to = y + (size_t)i * (size_t)step;
        for (int j = 0; j < x.cols; j++) to[j] = from[j] - origin[j];
    });
}

// gram (d × d) ← the lower triangle of the covariance matrix; offset [d] ← the mean of x − origin. Behind the columns of
// x − origin stands one of ones, with which the product gives their sums as well.
static void covariance_by_columns(Place place, Arena *arena, double *gram, double *offset, Matrix x,
                                  const float *origin)
{
    const int d = x.cols, step = (d + 1 + LANES - 1) / LANES * LANES, most = int_min(x.rows, ROWS_AT_ONCE);
    const size_t width = (size_t)d, wide = (size_t)step;
    float *part = arena_alloc_at(place, arena, size_product(place, width + 1, wide), sizeof *part),
          *y = arena_zeros_at(place, arena, (size_t)most, wide * sizeof *y);
    for (int i = 0; i < most; i++) y[(size_t)i * wide + width] = 1.0f;
    memset(gram, 0, width * width * sizeof *gram);
    memset(offset, 0, width * sizeof *offset);
    for (int first = 0; first < x.rows; first += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, x.rows - first);
        subtract_origin(y, step, matrix_rows(x, first, count), origin);
        for (int i = 0; i <= d; i += COLUMNS_AT_ONCE) {
            const int height = int_min(COLUMNS_AT_ONCE, d + 1 - i);
            gemm((GemmShape){.m = height, .n = i + height, .k = count, .transpose_a = true}, y + i, step, y,
                 step, part + (size_t)i * wide, step);
        }
#pragma omp parallel for schedule(static, 16) if (parallel_worth(width * width))
        for (int i = 0; i < d; i++)
            for (int j = 0; j <= i; j++)
                gram[(size_t)i * width + (size_t)j] += (double)part[(size_t)i * wide + (size_t)j];
        for (int j = 0; j < d; j++) offset[j] += (double)part[width * wide + (size_t)j];
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
        subtract_origin(rows.data, d, matrix_rows(x, first, count), pca->mean.data);
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
