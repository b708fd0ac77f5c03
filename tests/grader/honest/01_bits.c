// bits.c: signs and halves by bits, through memcpy and a union; inline, restrict, volatile, register.
#include "exercise.h"

#include <stdint.h>
#include <string.h>

static inline float opposite(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits ^= UINT32_C(1) << 31;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

static inline double half_of(double value)
{
    union {
        double number;
        uint64_t bits;
    } both = {.number = value};
    if (both.bits << 1 != 0) both.bits -= UINT64_C(1) << 52; // one less in the exponent
    return both.number;
}

static double inner(const float *restrict a, const float *restrict b, register unsigned count)
{
    double even = 0.0, odd = 0.0;
    for (register unsigned i = 0; i < count; i++) *(i & 1u ? &odd : &even) += (double)a[i] * (double)b[i];
    return even + odd;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    volatile double total = 0.0;
    for (unsigned i = 0; i < (unsigned)x.rows; i++) {
        double error = inner(x.data + (size_t)i * (size_t)x.cols, w.data, (unsigned)x.cols) +
                       (double)opposite(y.data[i]);
        total = total + error * error;
    }
    return (float)(half_of(total) / x.rows);
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
