// 6.3-not-reset.c: adds to what d_a held before.
// expect-fail: 6.3
#include "exercise.h"

void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    matmul_nt_add(d_a, d_z, w);
    for (size_t i = 0; i < matrix_size(d_a); i++)
        if (h.data[i] <= 0.0f) d_a.data[i] = 0.0f;
}
