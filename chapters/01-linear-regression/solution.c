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
    float values[MAX_FEATURES * MAX_FEATURES], target_values[MAX_FEATURES], gradient_values[MAX_FEATURES];
    Matrix curvature = matrix_view(x.cols, x.cols, values), target = matrix_view(x.cols, 1, target_values),
           gradient = matrix_view(x.cols, 1, gradient_values); // which is curvature · w − target
    matmul_tn(curvature, x, x);
    scale(curvature, 1.0f / (float)x.rows);
    matmul_tn(target, x, y);
    scale(target, 1.0f / (float)x.rows);
    // No direction is steeper than all eigenvalues together, and these add up to the diagonal.
    float steepest = 0.0f;
    for (int j = 0; j < x.cols; j++) {
        AT(curvature, j, j) += ridge;
        steepest += AT(curvature, j, j);
    }
    // (1 − ridge / steepest)^steps is less than e⁻¹², and no direction is flatter than the ridge.
    int steps = (int)(12.0f * steepest / ridge);
    fill(w, 0.0f);
    for (; steps > 0; steps--) {
        matmul(gradient, curvature, w);
        subtract(gradient, gradient, target);
        add_scaled(w, -1.0f / steepest, gradient);
    }
}
