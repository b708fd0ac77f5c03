// 6.3-silent-and-loud-exchanged.c: lets the error through where the unit is silent.
// expect-fail: 6.3
// and therefore: 6.4 6.5
#include "exercise.h"

void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    matmul_nt(d_a, d_z, w);
    for (size_t i = 0; i < matrix_size(d_a); i++)
        if (h.data[i] > 0.0f) d_a.data[i] = 0.0f;
}
