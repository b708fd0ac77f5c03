// 6.4-mean-of-the-bias-gradients.c: divides by N twice: the errors hold 1/N already.
// expect-fail: 6.4
// and therefore: 6.5
#include "exercise.h"

void mlp_gradients(Matrix d_w1, Matrix d_b1, Matrix d_w2, Matrix d_b2, Matrix x, Matrix labels, Matrix w1,
                   Matrix b1, Matrix w2, Matrix b2)
{
    Arena *arena = arena_new();
    Matrix h = matrix_new(arena, x.rows, w1.cols), z = matrix_new(arena, x.rows, w2.cols);
    Matrix d_z = matrix_new(arena, x.rows, w2.cols), d_a = matrix_new(arena, x.rows, w1.cols);
    mlp_hidden(h, x, w1, b1);
    matmul(z, h, w2);
    add_row(z, b2);
    mlp_output_gradient(d_z, z, labels);
    mlp_hidden_gradient(d_a, d_z, w2, h);
    matmul_tn(d_w2, h, d_z);
    column_means(d_b2, d_z);
    matmul_tn(d_w1, x, d_a);
    column_means(d_b1, d_a);
    arena_free(arena);
}
