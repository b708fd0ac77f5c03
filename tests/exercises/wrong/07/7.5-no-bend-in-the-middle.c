// 7.5-no-bend-in-the-middle.c: the hidden layer is linear.
// expect-fail: 7.5
#include "exercise.h"
#include <math.h>

float chain_gradient(Matrix d_x, Matrix x, Matrix w1, Matrix w2)
{
    float h_values[MAX_UNITS], z_values[MAX_UNITS], d_h_values[MAX_UNITS], f = 0.0f;
    Matrix h = matrix_view(1, w1.cols, h_values), z = matrix_view(1, w2.cols, z_values);
    Matrix d_h = matrix_view(1, w1.cols, d_h_values);
    matmul(h, x, w1);
    matmul(z, h, w2);
    for (int k = 0; k < z.cols; k++) {
        float positive = fmaxf(0.0f, z.data[k]);
        f += positive * positive;
        z.data[k] = 2.0f * positive;
    }
    matmul_nt(d_h, z, w2);
    matmul_nt(d_x, d_h, w1);
    return f;
}
