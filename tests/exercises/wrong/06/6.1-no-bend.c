// 6.1-no-bend.c: a linear layer: max(0, ·) is missing.
// expect-fail: 6.1
// and therefore: 6.4 6.5
#include "exercise.h"

void mlp_hidden(Matrix h, Matrix x, Matrix w, Matrix b)
{
    matmul(h, x, w);
    add_row(h, b);
}
