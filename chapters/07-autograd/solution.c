// Reference answers to the exercises of chapter 7. Look when you have tried.
#include "exercise.h"

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
void product_with_itself(Matrix y, Matrix d_x, Matrix d_y, Matrix x)
{
    matmul_nt(y, x, x);
    matmul_add(d_x, d_y, x);    // x as the first factor
    matmul_tn_add(d_x, d_y, x); // x as the second
}
