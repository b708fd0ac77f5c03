// Reference answers to the exercises of chapter 6. Look when you have tried.
#include "exercise.h"

#include "base/mathf.h"

// TASK 6.1
void mlp_hidden(Matrix h, Matrix x, Matrix w, Matrix b)
{
    matmul(h, x, w);
    add_row(h, b);
    for (size_t i = 0; i < matrix_size(h); i++) h.data[i] = fmaxf(0.0f, h.data[i]);
}

// TASK 6.2
void mlp_output_gradient(Matrix d_z, Matrix z, Matrix labels)
{
    for (int i = 0; i < z.rows; i++) {
        float top = AT(z, i, 0), total = 0.0f;
        for (int k = 1; k < z.cols; k++) top = fmaxf(top, AT(z, i, k));
        for (int k = 0; k < z.cols; k++) total += AT(d_z, i, k) = exp32(AT(z, i, k) - top);
        for (int k = 0; k < z.cols; k++) {
            float truth = k == (int)labels.data[i] ? 1.0f : 0.0f;
            AT(d_z, i, k) = (AT(d_z, i, k) / total - truth) / (float)z.rows;
        }
    }
}

// TASK 6.3
void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    matmul_nt(d_a, d_z, w);
    for (size_t i = 0; i < matrix_size(d_a); i++)
        if (h.data[i] <= 0.0f) d_a.data[i] = 0.0f;
}

// TASK 6.4
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
    column_sums(d_b2, d_z);
    matmul_tn(d_w1, x, d_a);
    column_sums(d_b1, d_a);
    arena_free(arena);
}

// TASK 6.5
void mlp_train(Matrix w1, Matrix b1, Matrix w2, Matrix b2, Matrix x, Matrix labels, float rate, int steps)
{
    Arena *arena = arena_new();
    Matrix d_w1 = matrix_new(arena, w1.rows, w1.cols), d_b1 = matrix_new(arena, 1, b1.cols);
    Matrix d_w2 = matrix_new(arena, w2.rows, w2.cols), d_b2 = matrix_new(arena, 1, b2.cols);
    for (int step = 0; step < steps; step++) {
        mlp_gradients(d_w1, d_b1, d_w2, d_b2, x, labels, w1, b1, w2, b2);
        add_scaled(w1, -rate, d_w1);
        add_scaled(b1, -rate, d_b1);
        add_scaled(w2, -rate, d_w2);
        add_scaled(b2, -rate, d_b2);
    }
    arena_free(arena);
}
