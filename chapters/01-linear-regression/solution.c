// Reference answers to the exercises of chapter 1. Look when you have tried.
#include "exercise.h"

// The error of example i: Σⱼ xᵢⱼ wⱼ − yᵢ
static float error_of(Matrix x, Matrix w, Matrix y, int i)
{
    float prediction = 0.0f;
    for (int j = 0; j < x.cols; j++) prediction += AT(x, i, j) * w.data[j];
    return prediction - y.data[i];
}

// TASK 1.1
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = (double)error_of(x, w, y, i);
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}

// TASK 1.2
void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        float error = error_of(x, w, y, i);
        for (int j = 0; j < x.cols; j++) gradient.data[j] += AT(x, i, j) * error;
    }
    scale(gradient, 1.0f / (float)x.rows);
}

// TASK 1.3
void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix gradient = matrix_view(w.rows, 1, values);
    for (int step = 0; step < steps; step++) {
        regression_gradient(gradient, x, w, y);
        add_scaled(w, -rate, gradient);
    }
}

// TASK 1.4
void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    int d = x.cols;
    double a[MAX_FEATURES][MAX_FEATURES + 1]; // the equations, right-hand side last
    for (int j = 0; j < d; j++) {
        for (int k = 0; k <= d; k++) {
            a[j][k] = j == k ? (double)ridge : 0.0;
            for (int i = 0; i < x.rows; i++)
                a[j][k] += (double)AT(x, i, j) * (double)(k < d ? AT(x, i, k) : y.data[i]) / x.rows;
        }
    }
    // Gauss: below each diagonal element make zeros. The matrix is positive, so no diagonal element vanishes.
    for (int p = 0; p < d; p++)
        for (int j = p + 1; j < d; j++) {
            double factor = a[j][p] / a[p][p];
            for (int k = p; k <= d; k++) a[j][k] -= factor * a[p][k];
        }
    for (int j = d - 1; j >= 0; j--) {
        for (int k = j + 1; k < d; k++) a[j][d] -= a[j][k] * a[k][d];
        a[j][d] /= a[j][j];
        w.data[j] = (float)a[j][d];
    }
}
