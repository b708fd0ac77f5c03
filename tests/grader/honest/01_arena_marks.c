// arena_marks.c: matrices of an arena that is rewound in each step.
#include "exercise.h"

static Matrix errors_of(Arena *arena, Matrix x, Matrix w, Matrix y)
{
    Matrix errors = matrix_uninitialised(arena, x.rows, 1);
    matmul(errors, x, w);
    add_scaled(errors, -1.0f, y);
    return errors;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    Arena *arena = arena_new();
    Matrix errors = errors_of(arena, x, w, y), square = matrix_new(arena, 1, 1);
    matmul_tn(square, errors, errors);
    float loss = AT(square, 0, 0) / 2.0f / (float)x.rows;
    arena_free(arena);
    return loss;
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    Arena *arena = arena_new_limited(1 << 20);
    matmul_tn(gradient, x, errors_of(arena, x, w, y));
    scale(gradient, 1.0f / (float)x.rows);
    arena_free(arena);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    Arena *arena = arena_new();
    Matrix start = matrix_copy(arena, w);
    for (int step = 0; step < steps; step++) {
        ArenaMark mark = arena_mark(arena);
        for (int i = 0; i < 40; i++) arena_string(arena, "a small piece");
        Matrix gradient = matrix_new(arena, w.rows, 1);
        matmul_tn(gradient, x, errors_of(arena, x, w, y));
        add_scaled(w, -rate / (float)x.rows, gradient);
        arena_rewind(arena, mark);
    }
    if (steps == 0) copy(w, start);
    arena_reset(arena);
    arena_free(arena);
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    Arena *arena = arena_new();
    int d = x.cols;
    double **a = arena_zeros(arena, (size_t)d, sizeof *a);
    for (int j = 0; j < d; j++) {
        a[j] = arena_zeros(arena, (size_t)d + 1, sizeof **a);
        for (int k = 0; k <= d; k++) {
            for (int i = 0; i < x.rows; i++)
                a[j][k] += (double)AT(x, i, j) * (double)(k < d ? AT(x, i, k) : y.data[i]);
            a[j][k] /= x.rows;
        }
        a[j][j] += (double)ridge;
    }
    for (int p = 0; p < d; p++)
        for (int j = 0; j < d; j++)
            for (int k = d; j != p && k >= p; k--) a[j][k] -= a[j][p] / a[p][p] * a[p][k];
    for (int j = 0; j < d; j++) w.data[j] = (float)(a[j][d] / a[j][j]);
    arena_free(arena);
}
