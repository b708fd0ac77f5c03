// Reference answers to the exercises of chapter 7. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 7.1
void tape_divide(Matrix line, float a, float b)
{
    line.data[0] = a / b;
    line.data[1] = 1.0f / b;
    line.data[2] = -a / (b * b);
}

// TASK 7.2
void tape_play_backwards(Matrix gradients, Matrix tape)
{
    fill(gradients, 0.0f);
    gradients.data[tape.rows - 1] = 1.0f;
    for (int i = tape.rows - 1; i >= 0; i--)
        for (int k = 0; k < 2; k++) {
            int input = (int)AT(tape, i, k);
            if (input >= 0) gradients.data[input] += gradients.data[i] * AT(tape, i, 2 + k);
        }
}

// TASK 7.3
void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    matmul_nt_add(d_a, d_y, b);
    matmul_tn_add(d_b, a, d_y);
}

// TASK 7.4
void softmax_gives_back(Matrix d_x, Matrix d_y, Matrix y)
{
    for (int i = 0; i < y.rows; i++) {
        float weighted = 0.0f; // Σⱼ d_yⱼ yⱼ
        for (int j = 0; j < y.cols; j++) weighted += AT(d_y, i, j) * AT(y, i, j);
        for (int k = 0; k < y.cols; k++) AT(d_x, i, k) += AT(y, i, k) * (AT(d_y, i, k) - weighted);
    }
}

// TASK 7.5
float chain_gradient(Matrix d_x, Matrix x, Matrix w1, Matrix w2)
{
    float h_values[MAX_UNITS], z_values[MAX_UNITS], d_h_values[MAX_UNITS];
    Matrix h = matrix_view(1, w1.cols, h_values), z = matrix_view(1, w2.cols, z_values);
    Matrix d_h = matrix_view(1, w1.cols, d_h_values);
    matmul(h, x, w1);
    for (int j = 0; j < h.cols; j++) h.data[j] = fmaxf(0.0f, h.data[j]);
    matmul(z, h, w2);
    float f = 0.0f;
    for (int k = 0; k < z.cols; k++) {
        float positive = fmaxf(0.0f, z.data[k]);
        f += positive * positive;
        z.data[k] = 2.0f * positive; // d_z, which is 0 like the slope of max(0, ·) where z is not positive
    }
    matmul_nt(d_h, z, w2);
    for (int j = 0; j < h.cols; j++)
        if (h.data[j] <= 0.0f) d_h.data[j] = 0.0f;
    matmul_nt(d_x, d_h, w1);
    return f;
}
