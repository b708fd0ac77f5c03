// libm.c: fma, hypot, pow, ldexp and their like.
#include "exercise.h"

#include <math.h>

static double error_of(Matrix x, Matrix w, Matrix y, int i)
{
    double error = copysign((double)y.data[i], -1.0 * (double)y.data[i]);
    for (int j = 0; j < x.cols; j++) error = fma((double)AT(x, i, j), (double)w.data[j], error);
    return error;
}

// The root of the sum of the squares, by hypot, which can neither overflow nor underflow.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double norm = 0.0;
    for (int i = 0; i < x.rows; i++) norm = hypot(norm, error_of(x, w, y, i));
    return (float)(ldexp(pow(norm, 2.0), -1) / x.rows);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++) {
            double whole, part = modf(error_of(x, w, y, i), &whole);
            sum = fma((double)AT(x, i, j), whole, sum);
            sum = fma((double)AT(x, i, j), part, sum);
        }
        gradient.data[j] = (float)(sum * exp(-log((double)x.rows)));
    }
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix gradient = matrix_view(w.rows, 1, values);
    for (int step = 0; step < steps; step++) {
        regression_gradient(gradient, x, w, y);
        for (int j = 0; j < w.rows; j++) w.data[j] = fmaf(-rate, values[j], w.data[j]);
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
