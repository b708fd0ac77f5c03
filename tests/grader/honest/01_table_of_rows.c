// table_of_rows.c: pointers to rows, each with its own calloc, as in a book on numerical methods.
#include "exercise.h"

#include <stdlib.h>

static double **table_new(int rows, int cols)
{
    double **table = malloc((size_t)rows * sizeof *table);
    for (int i = 0; i < rows; i++) table[i] = calloc((size_t)cols, sizeof **table);
    return table;
}

static void table_free(double **table, int rows)
{
    for (int i = 0; i < rows; i++) free(table[i]);
    free(table);
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / 2.0 / x.rows);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    double sums[MAX_FEATURES] = {0};
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        for (int j = 0; j < x.cols; j++) sums[j] += error * (double)AT(x, i, j);
    }
    for (int j = 0; j < x.cols; j++) gradient.data[j] = (float)(sums[j] / x.rows);
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
    int n = x.rows, d = x.cols;
    double **wide = table_new(n, d + 1), **a = table_new(d, d + 1);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < d; j++) wide[i][j] = (double)AT(x, i, j);
        wide[i][d] = (double)y.data[i];
    }
    for (int j = 0; j < d; j++)
        for (int k = 0; k <= d; k++) {
            for (int i = 0; i < n; i++) a[j][k] += wide[i][j] * wide[i][k];
            a[j][k] /= n;
        }
    for (int j = 0; j < d; j++) a[j][j] += (double)ridge;
    for (int p = 0; p < d; p++) {
        int best = p;
        for (int j = p + 1; j < d; j++)
            if (a[j][p] * a[j][p] > a[best][p] * a[best][p]) best = j;
        double *row = a[p]; // rows change places by their pointers
        a[p] = a[best];
        a[best] = row;
        for (int j = p + 1; j < d; j++)
            for (int k = d; k >= p; k--) a[j][k] -= a[j][p] / a[p][p] * a[p][k];
    }
    for (int j = d - 1; j >= 0; j--) {
        double value = a[j][d];
        for (int k = j + 1; k < d; k++) value -= a[j][k] * (double)w.data[k];
        w.data[j] = (float)(value / a[j][j]);
    }
    table_free(a, d);
    table_free(wide, n);
}
