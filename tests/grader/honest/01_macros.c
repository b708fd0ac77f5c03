// macros.c: macros for loops and sums, _Generic, __typeof__ and expressions of statements.
#include "exercise.h"

#define EACH(i, n)      for (int i = 0, i##_end = (n); i < i##_end; ++i)
#define SQUARE(v)       ((v) * (v))
#define WIDE(v)         _Generic((v), float: (double)(v), int: (double)(v), default: (v))
#define SUM(i, n, term) \
    __extension__({ \
        double sum_##i = 0.0; \
        EACH(i, n) sum_##i += (term); \
        sum_##i; \
    })
#define SWAP(a, b) \
    do { \
        __typeof__(a) swapped = (a); \
        (a) = (b); \
        (b) = swapped; \
    } while (0)
#define ERROR(i) (SUM(f, x.cols, WIDE(AT(x, i, f)) * WIDE(w.data[f])) - WIDE(y.data[i]))

_Static_assert(MAX_FEATURES >= 1, "there is a feature");

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    return (float)(SUM(i, x.rows, SQUARE(ERROR(i))) / (2.0 * WIDE(x.rows)));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    EACH(j, x.cols) gradient.data[j] = (float)(SUM(i, x.rows, WIDE(AT(x, i, j)) * ERROR(i)) / WIDE(x.rows));
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float first[MAX_FEATURES], second[MAX_FEATURES], *now = first, *next = second;
    EACH(j, w.rows) now[j] = w.data[j];
    EACH(step, steps)
    {
        regression_gradient((Matrix){w.rows, 1, next}, x, (Matrix){w.rows, 1, now}, y);
        EACH(j, w.rows) next[j] = now[j] - rate * next[j];
        SWAP(now, next);
    }
    EACH(j, w.rows) w.data[j] = now[j];
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
