// 6.3-no-bend.c: silent units receive an error too.
// expect-fail: 6.3
// and therefore: 6.4 6.5
#include "exercise.h"

void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    (void)h;
    matmul_nt(d_a, d_z, w);
}
