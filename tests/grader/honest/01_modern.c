// modern.c: what C11 brought: alignment, atomics, thread-local, complex numbers, static assertions.
#include "exercise.h"

#include <complex.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <tgmath.h>

static _Thread_local double lane[8];
static atomic_int calls;
_Static_assert(alignof(Matrix) >= alignof(float *), "a matrix holds a pointer");

// The errors of two examples at once, as the two parts of a complex number.
static double complex two_errors(Matrix x, Matrix w, Matrix y, int i)
{
    int other = i + 1 < x.rows ? i + 1 : i;
    double complex error = -CMPLX((double)y.data[i], (double)y.data[other]);
    for (int j = 0; j < x.cols; j++)
        error += CMPLX((double)AT(x, i, j), (double)AT(x, other, j)) * (double)w.data[j];
    return i == other ? creal(error) : error;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    atomic_fetch_add(&calls, 1);
    double total = 0.0;
    for (int i = 0; i < x.rows; i += 2) total += pow(fabs(two_errors(x, w, y, i)), 2);
    return (float)(total / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    alignas(64) double sums[MAX_FEATURES] = {0};
    double *errors = aligned_alloc(64, ((size_t)x.rows * sizeof *errors + 63) / 64 * 64);
    void *spare = NULL;
    if (!errors || posix_memalign(&spare, 8192, 100) != 0 || (size_t)spare % 8192 != 0) abort();
    free(spare);
    for (int i = 0; i < x.rows; i++) {
        lane[i % 8] = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) lane[i % 8] += (double)AT(x, i, j) * (double)w.data[j];
        errors[i] = lane[i % 8];
    }
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++) sums[j] += errors[i] * (double)AT(x, i, j);
    for (int j = 0; j < x.cols; j++) gradient.data[j] = (float)(sums[j] / x.rows);
    free(errors);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix slope = {w.rows, 1, values};
    while (steps-- > 0) {
        regression_gradient(slope, x, w, y);
        for (int j = 0; j < w.rows; j++) w.data[j] -= rate * values[j];
    }
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    int d = x.cols;
    double a[MAX_FEATURES][MAX_FEATURES + 1] = {{0}};
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < d; j++)
            for (int k = 0; k <= d; k++)
                a[j][k] += (double)AT(x, i, j) * (double)(k < d ? AT(x, i, k) : y.data[i]) / x.rows;
    for (int j = 0; j < d; j++) a[j][j] += (double)ridge;
    for (int p = 0; p < d; p++) // Gauss and Jordan
        for (int j = 0; j < d; j++) {
            if (j == p) continue;
            double factor = a[j][p] / a[p][p];
            for (int k = p; k <= d; k++) a[j][k] -= factor * a[p][k];
        }
    for (int j = 0; j < d; j++) w.data[j] = (float)(a[j][d] / a[j][j]);
}
