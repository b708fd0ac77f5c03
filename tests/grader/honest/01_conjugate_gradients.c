// conjugate_gradients.c: the ridge solution by conjugate gradients, which end after as many steps as unknowns.
#include "exercise.h"

typedef long double Vector[MAX_FEATURES];

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

static long double inner(const long double *a, const long double *b, int d)
{
    long double sum = 0.0L;
    for (int j = 0; j < d; j++) sum += a[j] * b[j];
    return sum;
}

// out = (xᵀx / n + ridge · I) v, without the matrix.
static void apply(long double *out, Matrix x, float ridge, const long double *v)
{
    for (int j = 0; j < x.cols; j++) out[j] = (long double)ridge * v[j];
    for (int i = 0; i < x.rows; i++) {
        long double sum = 0.0L;
        for (int j = 0; j < x.cols; j++) sum += (long double)AT(x, i, j) * v[j];
        for (int j = 0; j < x.cols; j++) out[j] += (long double)AT(x, i, j) * sum / x.rows;
    }
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    int d = x.cols;
    Vector at = {0}, rest = {0}, direction, image;
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < d; j++) rest[j] += (long double)AT(x, i, j) * (long double)y.data[i] / x.rows;
    for (int j = 0; j < d; j++) direction[j] = rest[j];
    long double size = inner(rest, rest, d), start = size;
    for (int step = 0; step < 20 * d && size > 1e-30L * start; step++) {
        apply(image, x, ridge, direction);
        long double length = size / inner(direction, image, d);
        for (int j = 0; j < d; j++) {
            at[j] += length * direction[j];
            rest[j] -= length * image[j];
        }
        long double now = inner(rest, rest, d);
        for (int j = 0; j < d; j++) direction[j] = rest[j] + now / size * direction[j];
        size = now;
    }
    for (int j = 0; j < d; j++) w.data[j] = (float)at[j];
}
