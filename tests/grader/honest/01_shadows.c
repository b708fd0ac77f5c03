// shadows.c: blocks in blocks, names that hide others, and a main that is not compiled.
#include "exercise.h"

static double total = 7.0;

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double *sum = &total, total = -(double)y.data[i]; // the inner one hides the outer, but for the pointer
        {
            int i_kept = i;
            for (int i = 0; i < x.cols; i++) total += (double)AT(x, i_kept, i) * (double)w.data[i];
        }
        *sum += total * total;
    }
    {
        extern float regression_half(double);
        return regression_half(total / x.rows);
    }
}

float regression_half(double value)
{
    enum { total = 2 };
    return (float)(value / total);
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
    typedef double Row[MAX_FEATURES + 1];
    Row a[MAX_FEATURES];
    for (int j = 0, d = x.cols; j < d; j++)
        for (int k = 0; k <= d; k++) {
            double total = j == k ? (double)ridge : 0.0;
            for (int i = 0; i < x.rows; i++) {
                double ridge = (double)(k < d ? AT(x, i, k) : y.data[i]);
                total += (double)AT(x, i, j) * ridge / x.rows;
            }
            a[j][k] = total;
        }
    for (int p = x.cols - 1; p >= 0; p--)
        for (int j = 0; j < p; j++) {
            double factor = a[j][p] / a[p][p];
            for (int k = 0; k <= p; k++) a[j][k] -= factor * a[p][k];
            a[j][x.cols] -= factor * a[p][x.cols];
        }
    for (int j = 0; j < x.cols; j++) {
        for (int k = 0; k < j; k++) a[j][x.cols] -= a[j][k] * (double)w.data[k];
        w.data[j] = (float)(a[j][x.cols] / a[j][j]);
    }
}

#ifdef BY_ITSELF
int main(void) { return total != 7.0; }
#else
double total_of_file(void) { return total; }
#endif
