// 1.4-sums-in-float.c: the sums are formed in float: enough until features are nearly copies of each other.
// expect-fail: 1.4
#include "exercise.h"

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    int d = x.cols;
    float a[MAX_FEATURES][MAX_FEATURES + 1];
    for (int j = 0; j < d; j++)
        for (int k = 0; k <= d; k++) {
            a[j][k] = j == k ? ridge : 0.0f;
            for (int i = 0; i < x.rows; i++)
                a[j][k] += AT(x, i, j) * (k < d ? AT(x, i, k) : y.data[i]) / (float)x.rows;
        }
    for (int p = 0; p < d; p++)
        for (int j = p + 1; j < d; j++) {
            float factor = a[j][p] / a[p][p];
            for (int k = p; k <= d; k++) a[j][k] -= factor * a[p][k];
        }
    for (int j = d - 1; j >= 0; j--) {
        for (int k = j + 1; k < d; k++) a[j][d] -= a[j][k] * a[k][d];
        a[j][d] /= a[j][j];
        w.data[j] = (float)a[j][d];
    }
}
