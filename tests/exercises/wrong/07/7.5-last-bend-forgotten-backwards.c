// 7.5-last-bend-forgotten-backwards.c: 2z also where z is cut off.
// expect-fail: 7.5
#include "exercise.h"
#include <math.h>

float chain_gradient(Matrix d_x, Matrix x, Matrix w1, Matrix w2)
{
    float h_values[MAX_UNITS], z_values[MAX_UNITS], d_h_values[MAX_UNITS], f = 0.0f;
    Matrix h = matrix_view(1, w1.cols, h_values), z = matrix_view(1, w2.cols, z_values);
    Matrix d_h = matrix_view(1, w1.cols, d_h_values);
    matmul(h, x, w1);
    for (int j = 0; j < h.cols; j++) h.data[j] = fmaxf(0.0f, h.data[j]);
    matmul(z, h, w2);
    for (int k = 0; k < z.cols; k++) {
        float positive = fmaxf(0.0f, z.data[k]);
        f += positive * positive;
        z.data[k] = 2.0f * z.data[k];
    }
    matmul_nt(d_h, z, w2);
    for (int j = 0; j < h.cols; j++)
        if (h.data[j] <= 0.0f) d_h.data[j] = 0.0f;
    matmul_nt(d_x, d_h, w1);
    return f;
}
