// recursion.c: sums by halves, and steps that call the next one.
#include "exercise.h"

static double product(const float *a, const float *b, int count)
{
    if (count == 1) return (double)*a * (double)*b;
    int half = count / 2;
    return product(a, b, half) + product(a + half, b + half, count - half);
}

static double squares(Matrix x, Matrix w, Matrix y, int from, int to)
{
    if (to - from == 1) {
        double error = product(matrix_row(x, from), w.data, x.cols) - (double)y.data[from];
        return error * error;
    }
    int middle = from + (to - from) / 2;
    return squares(x, w, y, from, middle) + squares(x, w, y, middle, to);
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    return (float)(squares(x, w, y, 0, x.rows) / (2.0 * x.rows));
}

static double slope(Matrix x, Matrix w, Matrix y, int j, int i)
{
    if (i == x.rows) return 0.0;
    double error = product(matrix_row(x, i), w.data, x.cols) - (double)y.data[i];
    return (double)AT(x, i, j) * error + slope(x, w, y, j, i + 1);
}

static void features_from(int j, Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    if (j == x.cols) return;
    gradient.data[j] = (float)(slope(x, w, y, j, 0) / x.rows);
    features_from(j + 1, gradient, x, w, y);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    features_from(0, gradient, x, w, y);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    if (steps == 0) return;
    float values[MAX_FEATURES];
    Matrix gradient = matrix_view(w.rows, 1, values);
    regression_gradient(gradient, x, w, y);
    add_scaled(w, -rate, gradient);
    regression_descend(w, x, y, rate, steps - 1);
}

// Takes the last unknown out of the equations, solves the rest, and puts it back.
static void solve(int d, double a[MAX_FEATURES][MAX_FEATURES], double b[MAX_FEATURES])
{
    if (d == 0) return;
    int p = d - 1;
    for (int j = 0; j < p; j++) {
        double factor = a[j][p] / a[p][p];
        for (int k = 0; k < p; k++) a[j][k] -= factor * a[p][k];
        b[j] -= factor * b[p];
    }
    solve(p, a, b);
    for (int k = 0; k < p; k++) b[p] -= a[p][k] * b[k];
    b[p] /= a[p][p];
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    double a[MAX_FEATURES][MAX_FEATURES], b[MAX_FEATURES];
    for (int j = 0; j < x.cols; j++) {
        b[j] = 0.0;
        for (int i = 0; i < x.rows; i++) b[j] += (double)AT(x, i, j) * (double)y.data[i] / x.rows;
        for (int k = 0; k < x.cols; k++) {
            a[j][k] = j == k ? (double)ridge : 0.0;
            for (int i = 0; i < x.rows; i++) a[j][k] += (double)AT(x, i, j) * (double)AT(x, i, k) / x.rows;
        }
    }
    solve(x.cols, a, b);
    for (int j = 0; j < x.cols; j++) w.data[j] = (float)b[j];
}
