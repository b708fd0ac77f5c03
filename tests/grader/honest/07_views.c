// views.c: views of rows, reshapes, and the library's products on them.
#include "exercise.h"

#include <math.h>
#include <string.h>

void tape_divide(Matrix line, float a, float b)
{
    double quotient = (double)a / (double)b;
    line.data[0] = (float)quotient;
    line.data[1] = (float)(1.0 / (double)b);
    line.data[2] = (float)(-quotient / (double)b);
}

void tape_play_backwards(Matrix gradients, Matrix tape)
{
    for (int i = 0; i < gradients.rows; i++) gradients.data[i] = i == gradients.rows - 1 ? 1.0f : 0.0f;
    for (int i = tape.rows; i-- > 0;) {
        const float *line = matrix_row(tape, i);
        if (line[0] >= 0.0f) gradients.data[(int)line[0]] += gradients.data[i] * line[2];
        if (line[1] >= 0.0f) gradients.data[(int)line[1]] += gradients.data[i] * line[3];
    }
}

// A row of y at a time: d_a = d_y · bᵀ, and each row of a gives its part of d_b.
void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    for (int i = 0; i < a.rows; i++) {
        matmul_nt_add(matrix_rows(d_a, i, 1), matrix_rows(d_y, i, 1), b);
        matmul_tn_add(d_b, matrix_rows(a, i, 1), matrix_rows(d_y, i, 1));
    }
}

void softmax_gives_back(Matrix d_x, Matrix d_y, Matrix y)
{
    for (int i = 0; i < y.rows; i++) {
        Matrix row = matrix_reshape(matrix_rows(y, i, 1), y.cols, 1);
        Matrix back = matrix_reshape(matrix_rows(d_y, i, 1), y.cols, 1);
        float weighted;
        matmul_tn(matrix_view(1, 1, &weighted), row, back);
        for (float *d = matrix_row(d_x, i), *s = row.data, *g = back.data; s < row.data + y.cols; d++, s++, g++)
            *d = fmaf(*s, *g - weighted, *d);
    }
}

float chain_gradient(Matrix d_x, Matrix x, Matrix w1, Matrix w2)
{
    Arena *arena = arena_new();
    Matrix h = matrix_new(arena, 1, w1.cols), z = matrix_new(arena, 1, w2.cols);
    Matrix d_h = matrix_new(arena, 1, w1.cols), f = matrix_new(arena, 1, 1);
    matmul(h, x, w1);
    for (int j = 0; j < h.cols; j++) h.data[j] = fdimf(h.data[j], 0.0f);
    matmul(z, h, w2);
    for (int k = 0; k < z.cols; k++) z.data[k] = fdimf(z.data[k], 0.0f);
    matmul_nt(f, z, z);
    scale(z, 2.0f);
    matmul_nt(d_h, z, w2);
    for (int j = 0; j < h.cols; j++) d_h.data[j] *= h.data[j] > 0.0f;
    matmul_nt(d_x, d_h, w1);
    float value = AT(f, 0, 0);
    arena_free(arena);
    return value;
}
