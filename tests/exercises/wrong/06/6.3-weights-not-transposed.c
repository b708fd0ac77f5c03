// 6.3-weights-not-transposed.c: reads the weights as if they stood the other way round.
// expect-fail: 6.3
// and therefore: 6.4 6.5
#include "exercise.h"

void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    matmul(d_a, d_z, matrix_reshape(w, w.cols, w.rows));
    for (size_t i = 0; i < matrix_size(d_a); i++)
        if (h.data[i] <= 0.0f) d_a.data[i] = 0.0f;
}
