// kahan.c: sums with Kahan's correction, all in float but the equations.
#include "exercise.h"

typedef struct {
    float sum, lost;
} Kahan;

static void add_to(Kahan *k, float term)
{
    float corrected = term - k->lost;
    volatile float sum = k->sum + corrected; // or an eager compiler would find that nothing is lost
    k->lost = (sum - k->sum) - corrected;
    k->sum = sum;
}

static float error_of(Matrix x, Matrix w, Matrix y, int i)
{
    Kahan k = {-y.data[i], 0.0f};
    for (int j = 0; j < x.cols; j++) add_to(&k, AT(x, i, j) * w.data[j]);
    return k.sum;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    Kahan total = {0};
    for (int i = 0; i < x.rows; i++) {
        float error = error_of(x, w, y, i);
        add_to(&total, error * error);
    }
    return total.sum / (2.0f * (float)x.rows);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    Kahan sums[MAX_FEATURES] = {{0}};
    for (int i = 0; i < x.rows; i++) {
        float error = error_of(x, w, y, i);
        for (int j = 0; j < x.cols; j++) add_to(&sums[j], AT(x, i, j) * error);
    }
    for (int j = 0; j < x.cols; j++) gradient.data[j] = sums[j].sum / (float)x.rows;
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
