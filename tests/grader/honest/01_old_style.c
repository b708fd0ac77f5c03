// old_style.c: definitions as Kernighan and Ritchie wrote them first.
#include "exercise.h"

static double error_of(x, w, y, i)
Matrix x, w, y;
int i;
{
    auto double error;
    register int j;

    error = -y.data[i];
    for (j = 0; j < x.cols; j++)
        error = error + AT(x, i, j) * w.data[j];
    return (error);
}

float regression_loss(x, w, y)
Matrix x, w, y;
{
    double total, error;
    int i;

    for (total = 0, i = 0; i < x.rows; i++) {
        error = error_of(x, w, y, i);
        total = total + error * error;
    }
    return (total / (2 * x.rows));
}

void regression_gradient(gradient, x, w, y)
Matrix gradient, x, w, y;
{
    int i, j;
    double sum;

    for (j = 0; j < x.cols; j++) {
        for (sum = 0, i = 0; i < x.rows; i++)
            sum += AT(x, i, j) * error_of(x, w, y, i);
        gradient.data[j] = sum / x.rows;
    }
    return;
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
