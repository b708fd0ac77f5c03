// long_double.c: everything in long double, and Cholesky's way to the equations.
#include "exercise.h"

#include <math.h>

typedef long double real;

static real error_of(Matrix x, Matrix w, Matrix y, int i)
{
    real error = 0.0L;
    for (int j = x.cols - 1; j >= 0; --j) error += (real)AT(x, i, j) * (real)w.data[j];
    return error - (real)y.data[i];
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    real total = 0.0L;
    for (int i = 0; i < x.rows; ++i) total += powl(fabsl(error_of(x, w, y, i)), 2.0L);
    return (float)(total / (2.0L * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j < x.cols; ++j) {
        real sum = 0.0L;
        for (int i = x.rows - 1; i >= 0; --i) sum += (real)AT(x, i, j) * error_of(x, w, y, i);
        gradient.data[j] = (float)(sum / x.rows);
    }
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
    real l[MAX_FEATURES][MAX_FEATURES], z[MAX_FEATURES]; // the matrix is l · lᵀ, and l · z is the right-hand side
    for (int j = 0; j < d; j++) {
        for (int k = 0; k <= j; k++) {
            real a = j == k ? (real)ridge : 0.0L;
            for (int i = 0; i < x.rows; i++) a += (real)AT(x, i, j) * (real)AT(x, i, k) / x.rows;
            for (int m = 0; m < k; m++) a -= l[j][m] * l[k][m];
            l[j][k] = j == k ? sqrtl(a) : a / l[k][k];
        }
        z[j] = 0.0L;
        for (int i = 0; i < x.rows; i++) z[j] += (real)AT(x, i, j) * (real)y.data[i] / x.rows;
        for (int m = 0; m < j; m++) z[j] -= l[j][m] * z[m];
        z[j] /= l[j][j];
    }
    for (int j = d - 1; j >= 0; j--) {
        for (int m = j + 1; m < d; m++) z[j] -= l[m][j] * z[m];
        z[j] /= l[j][j];
        w.data[j] = (float)z[j];
    }
}
