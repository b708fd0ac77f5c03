// 7.3-overwritten.c: overwrites what the gradients held.
// expect-fail: 7.3
#include "exercise.h"

void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    matmul_nt(d_a, d_y, b);
    matmul_tn(d_b, a, d_y);
}
