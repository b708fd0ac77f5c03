// 7.3-second-factor-forgotten.c: gives back to a only.
// expect-fail: 7.3
#include "exercise.h"

void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    (void)a, (void)d_b;
    matmul_nt_add(d_a, d_y, b);
}
