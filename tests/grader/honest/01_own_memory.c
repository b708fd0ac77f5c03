// own_memory.c: memory of its own: a static pool with an allocator, and pages from mmap given back.
#include "exercise.h"

#include <string.h>
#include <sys/mman.h>

static union {
    double aligned;
    unsigned char bytes[1 << 16];
} pool;
static size_t pool_used;

static void *pool_take(size_t count, size_t size)
{
    void *piece = pool.bytes + pool_used;
    pool_used += (count * size + 15) / 16 * 16;
    return memset(piece, 0, count * size);
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    size_t before = pool_used;
    double *errors = pool_take((size_t)x.rows, sizeof *errors), total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        for (int j = 0; j < x.cols; j++) errors[i] += (double)AT(x, i, j) * (double)w.data[j];
        errors[i] -= (double)y.data[i];
    }
    for (int i = 0; i < x.rows; i++) total += errors[i] * errors[i];
    pool_used = before;
    return (float)(total / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    size_t size = (size_t)x.rows * sizeof(double);
    double *errors = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < x.rows; i++) {
        for (int j = 0; j < x.cols; j++) errors[i] += (double)AT(x, i, j) * (double)w.data[j];
        errors[i] -= (double)y.data[i];
    }
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++) sum += errors[i] * (double)AT(x, i, j);
        gradient.data[j] = (float)(sum / x.rows);
    }
    munmap(errors, size);
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
