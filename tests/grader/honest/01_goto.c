// goto.c: loops made of goto, labels and switch.
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0, error;
    int i = 0, j;
next_example:
    if (i == x.rows) goto done;
    error = -(double)y.data[i];
    j = 0;
next_feature:
    if (j < x.cols) {
        error += (double)AT(x, i, j) * (double)w.data[j];
        j++;
        goto next_feature;
    }
    total += error * error;
    i++;
    goto next_example;
done:
    return (float)(total / (2.0 * x.rows));
}

// The sum of products of two rows, four at a time, entered in the middle as Duff did.
static double inner(const float *a, int a_step, const float *b, int b_step, int count)
{
    double sum = 0.0;
    int rounds = (count + 3) / 4;
    if (count == 0) return sum;
    switch (count % 4) {
    case 0:
        do {
            sum += (double)*a * (double)*b, a += a_step, b += b_step;
            // fall through
        case 3:
            sum += (double)*a * (double)*b, a += a_step, b += b_step;
            // fall through
        case 2:
            sum += (double)*a * (double)*b, a += a_step, b += b_step;
            // fall through
        case 1:
            sum += (double)*a * (double)*b, a += a_step, b += b_step;
        } while (--rounds > 0);
    }
    return sum;
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++)
            sum += (double)AT(x, i, j) * (inner(matrix_row(x, i), 1, w.data, 1, x.cols) - (double)y.data[i]);
        gradient.data[j] = (float)(sum / x.rows);
    }
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix slope = matrix_view(w.rows, 1, values);
again:
    switch (steps) {
    case 0:
        return;
    default:
        regression_gradient(slope, x, w, y);
        add_scaled(w, -rate, slope);
        steps--;
        goto again;
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
