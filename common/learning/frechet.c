// frechet.c: see frechet.h.
#include "learning/frechet.h"
#include "base/parallel.h"
#include "matrix/symmetric.h"

#include <math.h>

Gaussian gaussian_fit_at(Place place, Arena *arena, Matrix rows)
{
    const int n = rows.rows, d = rows.cols;
    check_at(place, n >= 2 && d >= 1, "a covariance needs two vectors at least",
             "gaussian_fit: rows (%d × %d)", n, d);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            check_at(place, isfinite(AT(rows, i, j)), "find out where it comes from",
                     "gaussian_fit: element (%d, %d) is %g", i, j, (double)AT(rows, i, j));
    Gaussian fit = {n, d, arena_zeros_at(place, arena, (size_t)d, sizeof *fit.mean),
                    arena_zeros_at(place, arena, (size_t)d * (size_t)d, sizeof *fit.covariance)};
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++) fit.mean[j] += (double)AT(rows, i, j);
    for (int j = 0; j < d; j++) fit.mean[j] /= n;
        // Each row of the covariance adds up the vectors in their order, whoever works on it.
#pragma omp parallel for schedule(dynamic, 4) if (parallel_worth((size_t)n * (size_t)d))
    for (int j = 0; j < d; j++) {
        double *sum = fit.covariance + (size_t)j * (size_t)d;
        for (int i = 0; i < n; i++) {
            const float *row = matrix_row(rows, i);
            const double from_mean = (double)row[j] - fit.mean[j];
            for (int k = 0; k <= j; k++) sum[k] += from_mean * ((double)row[k] - fit.mean[k]);
        }
        for (int k = 0; k <= j; k++) sum[k] /= n - 1;
    }
    for (int j = 0; j < d; j++)
        for (int k = j + 1; k < d; k++)
            fit.covariance[(size_t)j * (size_t)d + (size_t)k] =
                fit.covariance[(size_t)k * (size_t)d + (size_t)j];
    return fit;
}

// out (d × d) = a bᵀ
static void product_with_transposed(double *out, const double *a, const double *b, int d)
{
    PARALLEL_FOR(parallel_worth((size_t)d * (size_t)d * (size_t)d), i, d, {
        for (int j = 0; j < d; j++) {
            double sum = 0.0;
            for (int k = 0; k < d; k++) sum += a[i * d + k] * b[j * d + k];
            out[i * d + j] = sum;
        }
    });
}

static double root_of(double eigenvalue) { return eigenvalue > 0.0 ? sqrt(eigenvalue) : 0.0; }

double frechet_distance_at(Place place, Gaussian a, Gaussian b)
{
    check_at(place, a.features == b.features, "take both from the same network",
             "frechet_distance: %d and %d features", a.features, b.features);
    const int d = a.features;
    const size_t size = (size_t)d * (size_t)d;
    Arena *scratch = arena_new();
    double *values = arena_alloc(scratch, (size_t)d, sizeof *values),
           *root = arena_alloc(scratch, size, sizeof *root), *half = arena_alloc(scratch, size, sizeof *half),
           *middle = arena_alloc(scratch, size, sizeof *middle);

    // With Σ₁ = Rᵀ R, where row i of R is √λᵢ times eigenvector i, Σ₁ Σ₂ has the eigenvalues of R Σ₂ Rᵀ, which is symmetric.
    symmetric_largest_of_doubles(values, root, a.covariance, d, d);
    for (int i = 0; i < d; i++)
        for (int k = 0; k < d; k++) root[i * d + k] *= root_of(values[i]);
    product_with_transposed(half, root, b.covariance, d); // Σ₂ is its own transpose
    product_with_transposed(middle, half, root, d);
    symmetric_largest_of_doubles(values, NULL, middle, d, d);

    double distance = 0.0;
    for (int j = 0; j < d; j++) {
        const double apart = a.mean[j] - b.mean[j];
        distance +=
            apart * apart + a.covariance[j * d + j] + b.covariance[j * d + j] - 2.0 * root_of(values[j]);
    }
    arena_free(scratch);
    return distance > 0.0 ? distance : 0.0;
}
