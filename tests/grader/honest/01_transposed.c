// transposed.c: a copy of the table column by column, and loops in the other order.
#include "exercise.h"

#include <stdlib.h>
#include <string.h>

// xᵀ, a feature to a row. const all the way: what is read is never written.
static const double *columns_of(const Matrix x)
{
    double *const copy = malloc(matrix_size(x) * sizeof *copy);
    for (int j = 0; j < x.cols; j++)
        for (int i = 0; i < x.rows; i++) copy[j * x.rows + i] = (double)AT(x, i, j);
    return copy;
}

static double *errors_of(const double *const columns, const int n, const Matrix w, const Matrix y)
{
    double *errors = malloc((size_t)n * sizeof *errors);
    memset(errors, 0, (size_t)n * sizeof *errors);
    for (int j = w.rows - 1; j >= 0; j--)
        for (int i = n - 1; i >= 0; i--) errors[i] += columns[j * n + i] * (double)w.data[j];
    for (int i = 0; i < n; i++) errors[i] -= (double)y.data[i];
    return errors;
}

float regression_loss(const Matrix x, const Matrix w, const Matrix y)
{
    const double *columns = columns_of(x);
    double *errors = errors_of(columns, x.rows, w, y), total = 0.0;
    for (int i = 0; i < x.rows; i++) total += errors[i] * errors[i];
    free((void *)columns);
    free(errors);
    return (float)(0.5 * total / x.rows);
}

void regression_gradient(const Matrix gradient, const Matrix x, const Matrix w, const Matrix y)
{
    const double *columns = columns_of(x), *column = columns;
    double *errors = errors_of(columns, x.rows, w, y);
    for (int j = 0; j < x.cols; j++, column += x.rows) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++) sum += column[i] * errors[i];
        gradient.data[j] = (float)(sum / x.rows);
    }
    free(errors);
    free((void *)columns);
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
