// variadic.c: helpers with any number of arguments.
#include "exercise.h"

#include <stdarg.h>

// The sum of `count` numbers.
static double total_of(int count, ...)
{
    va_list numbers;
    double total = 0.0;
    va_start(numbers, count);
    while (count-- > 0) total += va_arg(numbers, double);
    va_end(numbers);
    return total;
}

static double total_of_list(int count, va_list numbers)
{
    va_list again;
    va_copy(again, numbers);
    double total = 0.0;
    for (int i = 0; i < count; i++) total += va_arg(again, double);
    va_end(again);
    return total;
}

static double mean_of(int count, ...)
{
    va_list numbers;
    va_start(numbers, count);
    double total = total_of_list(count, numbers);
    va_end(numbers);
    return total / count;
}

static double error_of(Matrix x, Matrix w, Matrix y, int i)
{
    double error = total_of(1, -(double)y.data[i]);
    for (int j = 0; j < x.cols; j++) error = total_of(2, error, (double)(AT(x, i, j)) * (double)w.data[j]);
    return error;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) total = total_of(2, total, error_of(x, w, y, i) * error_of(x, w, y, i));
    return (float)(mean_of(2, total, 0.0) / x.rows);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++)
            gradient.data[j] = (float)total_of(2, (double)gradient.data[j],
                                          (double)AT(x, i, j) * error_of(x, w, y, i) / x.rows);
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
