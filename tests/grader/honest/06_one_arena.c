// one_arena.c: one arena for the training, rewound to a mark in each step.
#include "exercise.h"

#include <math.h>

void mlp_hidden(Matrix h, Matrix x, Matrix w, Matrix b)
{
    for (int i = 0; i < h.rows; i++)
        for (int j = 0; j < h.cols; j++) {
            double a = (double)b.data[j];
            for (int k = 0; k < x.cols; k++) a += (double)AT(x, i, k) * (double)AT(w, k, j);
            AT(h, i, j) = a > 0.0 ? (float)a : 0.0f;
        }
}

void mlp_output_gradient(Matrix d_z, Matrix z, Matrix labels)
{
    for (int i = 0; i < z.rows; i++) {
        double top = (double)AT(z, i, 0), total = 0.0;
        for (int k = 1; k < z.cols; k++) top = fmax(top, (double)AT(z, i, k));
        for (int k = 0; k < z.cols; k++) total += exp((double)AT(z, i, k) - top);
        for (int k = 0; k < z.cols; k++)
            AT(d_z, i, k) = (float)((exp((double)AT(z, i, k) - top) / total - (k == (int)labels.data[i])) / z.rows);
    }
}

void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    for (int i = 0; i < h.rows; i++)
        for (int j = 0; j < h.cols; j++) {
            double back = 0.0;
            for (int k = 0; k < d_z.cols; k++) back += (double)AT(d_z, i, k) * (double)AT(w, j, k);
            AT(d_a, i, j) = AT(h, i, j) > 0.0f ? (float)back : 0.0f;
        }
}

static void gradients_in(Arena *arena, const Matrix slopes[4], Matrix x, Matrix labels, const Matrix parts[4])
{
    ArenaMark mark = arena_mark(arena);
    Matrix h = matrix_uninitialised(arena, x.rows, parts[0].cols), d_a = matrix_copy(arena, h);
    Matrix z = matrix_uninitialised(arena, x.rows, parts[2].cols), d_z = matrix_uninitialised(arena, z.rows, z.cols);
    mlp_hidden(h, x, parts[0], parts[1]);
    matmul(z, h, parts[2]);
    add_row(z, parts[3]);
    mlp_output_gradient(d_z, z, labels);
    mlp_hidden_gradient(d_a, d_z, parts[2], h);
    matmul_tn(slopes[0], x, d_a);
    column_sums(slopes[1], d_a);
    matmul_tn(slopes[2], h, d_z);
    column_sums(slopes[3], d_z);
    arena_rewind(arena, mark);
}

void mlp_gradients(Matrix d_w1, Matrix d_b1, Matrix d_w2, Matrix d_b2, Matrix x, Matrix labels, Matrix w1,
                   Matrix b1, Matrix w2, Matrix b2)
{
    Arena *arena = arena_new();
    gradients_in(arena, (Matrix[]){d_w1, d_b1, d_w2, d_b2}, x, labels, (Matrix[]){w1, b1, w2, b2});
    arena_free(arena);
}

void mlp_train(Matrix w1, Matrix b1, Matrix w2, Matrix b2, Matrix x, Matrix labels, float rate, int steps)
{
    Arena *arena = arena_new();
    const Matrix parts[4] = {w1, b1, w2, b2};
    Matrix slopes[4];
    for (int p = 0; p < 4; p++) slopes[p] = matrix_new(arena, parts[p].rows, parts[p].cols);
    for (int step = 0; step < steps; step++) {
        gradients_in(arena, slopes, x, labels, parts);
        for (int p = 0; p < 4; p++) add_scaled(parts[p], -rate, slopes[p]);
    }
    arena_free(arena);
}
