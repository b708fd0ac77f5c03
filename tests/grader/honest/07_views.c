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

// A row of x at a time, by its first use and by its second.
void product_with_itself(Matrix y, Matrix d_x, Matrix d_y, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        Matrix row = matrix_rows(x, i, 1), back = matrix_rows(d_y, i, 1);
        matmul_nt(matrix_rows(y, i, 1), row, x);
        matmul_add(matrix_rows(d_x, i, 1), back, x);
        matmul_tn_add(d_x, back, row);
    }
}
