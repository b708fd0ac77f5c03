// 6.1-not-reset.c: adds the product to what h held before.
// expect-fail: 6.1
#include "exercise.h"
#include <math.h>

void mlp_hidden(Matrix h, Matrix x, Matrix w, Matrix b)
{
    matmul_add(h, x, w);
    add_row(h, b);
    for (size_t i = 0; i < matrix_size(h); i++) h.data[i] = fmaxf(0.0f, h.data[i]);
}
