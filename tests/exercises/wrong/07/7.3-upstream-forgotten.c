// 7.3-upstream-forgotten.c: as if a gradient of ones had arrived.
// expect-fail: 7.3
#include "exercise.h"

void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    Arena *arena = arena_new();
    Matrix ones = matrix_new(arena, d_y.rows, d_y.cols);
    fill(ones, 1.0f);
    matmul_nt_add(d_a, ones, b);
    matmul_tn_add(d_b, a, ones);
    arena_free(arena);
}
