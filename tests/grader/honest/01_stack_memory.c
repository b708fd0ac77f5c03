// stack_memory.c: alloca, and arrays whose length is known at run time.
#include "exercise.h"

#include <alloca.h>
#include <string.h>

static void errors_of(int n, double errors[n], Matrix x, Matrix w, Matrix y)
{
    for (int i = 0; i < n; i++) {
        errors[i] = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) errors[i] += (double)AT(x, i, j) * (double)w.data[j];
    }
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double *errors = alloca((size_t)x.rows * sizeof *errors), total = 0.0;
    errors_of(x.rows, errors, x, w, y);
    for (int i = x.rows; i-- > 0;) total += errors[i] * errors[i];
    return (float)(total / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    double errors[x.rows];
    errors_of(x.rows, errors, x, w, y);
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++) sum += (double)AT(x, i, j) * errors[i];
        gradient.data[j] = (float)(sum / x.rows);
    }
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float slope[w.rows];
    for (; steps; steps--) {
        regression_gradient((Matrix){w.rows, 1, slope}, x, w, y);
        for (int j = 0; j < w.rows; j++) w.data[j] -= rate * slope[j];
    }
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    const int d = x.cols;
    double a[d][d], b[d];
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    for (int i = 0; i < x.rows; i++) {
        double(*row)[d] = alloca(sizeof *row);
        for (int j = 0; j < d; j++) (*row)[j] = (double)AT(x, i, j);
        for (int j = 0; j < d; j++) {
            b[j] += (*row)[j] * (double)y.data[i] / x.rows;
            for (int k = 0; k < d; k++) a[j][k] += (*row)[j] * (*row)[k] / x.rows;
        }
    }
    for (int j = 0; j < d; j++) a[j][j] += (double)ridge;
    for (int p = 0; p < d; p++)
        for (int j = p + 1; j < d; j++) {
            double factor = a[j][p] / a[p][p];
            for (int k = p; k < d; k++) a[j][k] -= factor * a[p][k];
            b[j] -= factor * b[p];
        }
    for (int j = d - 1; j >= 0; j--) {
        for (int k = j + 1; k < d; k++) b[j] -= a[j][k] * b[k];
        b[j] /= a[j][j];
        w.data[j] = (float)b[j];
    }
}
