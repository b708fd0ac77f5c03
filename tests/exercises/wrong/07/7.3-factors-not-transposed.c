// 7.3-factors-not-transposed.c: reads both factors as if they stood the other way round.
// expect-fail: 7.3
#include "exercise.h"

void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    matmul_add(d_a, d_y, matrix_reshape(b, b.cols, b.rows));
    matmul_add(d_b, matrix_reshape(a, a.cols, a.rows), d_y);
}
