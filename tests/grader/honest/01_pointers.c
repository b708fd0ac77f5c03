// pointers.c: no index anywhere: pointers that walk, in do-while loops.
#include "exercise.h"

static double error_at(const float *row, const float *weight, const float *end, const float *target)
{
    double error = -(double)*target;
    do {
        error += (double)*row++ * (double)*weight++;
    } while (weight != end);
    return error;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    const float *row = x.data, *target = y.data, *const last = y.data + y.rows;
    double total = 0.0;
    do {
        double error = error_at(row, w.data, w.data + w.rows, target);
        total += error * error;
        row += x.cols;
    } while (++target < last);
    return (float)(total / (double)(last - y.data) / 2.0);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    const float *row = x.data;
    for (float *g = gradient.data; g < gradient.data + gradient.rows; g++) *g = 0.0f;
    for (const float *target = y.data; target < y.data + y.rows; target++) {
        float error = (float)error_at(row, w.data, w.data + w.rows, target) / (float)y.rows;
        for (float *g = gradient.data; g != gradient.data + gradient.rows;) *g++ += error * *row++;
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
