// 6.3-multiplied-by-h.c: times h instead of times its slope.
// expect-fail: 6.3
// and therefore: 6.4 6.5
#include "exercise.h"

void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    matmul_nt(d_a, d_z, w);
    multiply(d_a, d_a, h);
}
