// 6.5-gradients-of-the-start.c: one gradient for all steps.
// expect-fail: 6.5
#include "exercise.h"

void mlp_train(Matrix w1, Matrix b1, Matrix w2, Matrix b2, Matrix x, Matrix labels, float rate, int steps)
{
    Arena *arena = arena_new();
    Matrix d_w1 = matrix_new(arena, w1.rows, w1.cols), d_b1 = matrix_new(arena, 1, b1.cols);
    Matrix d_w2 = matrix_new(arena, w2.rows, w2.cols), d_b2 = matrix_new(arena, 1, b2.cols);
    mlp_gradients(d_w1, d_b1, d_w2, d_b2, x, labels, w1, b1, w2, b2);
    for (int step = 0; step < steps; step++) {
        add_scaled(w1, -rate, d_w1);
        add_scaled(b1, -rate, d_b1);
        add_scaled(w2, -rate, d_w2);
        add_scaled(b2, -rate, d_b2);
    }
    arena_free(arena);
}
