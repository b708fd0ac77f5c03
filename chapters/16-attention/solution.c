// Reference answers to the exercises of chapter 16. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 16.1: only differences of squares matter, so the nearest key may count as if it were at distance 0
void kernel_regression(Matrix out, Matrix q, Matrix k, Matrix v, float width)
{
    for (int i = 0; i < q.rows; i++) {
        double square[MAX_TIME], nearest = INFINITY, total = 0.0, mean[MAX_WIDTH] = {0};
        for (int j = 0; j < k.rows; j++) {
            square[j] = 0.0;
            for (int c = 0; c < q.cols; c++) square[j] += pow((double)AT(q, i, c) - (double)AT(k, j, c), 2.0);
            nearest = fmin(nearest, square[j]);
        }
        for (int j = 0; j < k.rows; j++) {
            double kernel = exp((nearest - square[j]) / (2.0 * (double)width * (double)width));
            total += kernel;
            for (int c = 0; c < v.cols; c++) mean[c] += kernel * (double)AT(v, j, c);
        }
        for (int c = 0; c < v.cols; c++) AT(out, i, c) = (float)(mean[c] / total);
    }
}

// TASK 16.2: what is not seen is left out of the maximum and of the sum, not only of the result
void causal_softmax(Matrix p, Matrix s)
{
    for (int i = 0; i < s.rows; i++) {
        int seen = s.cols - s.rows + i + 1;
        float most = AT(s, i, 0), total = 0.0f;
        for (int j = 1; j < seen; j++) most = fmaxf(most, AT(s, i, j));
        for (int j = 0; j < seen; j++) total += AT(p, i, j) = expf(AT(s, i, j) - most);
        for (int j = 0; j < s.cols; j++) AT(p, i, j) = j < seen ? AT(p, i, j) / total : 0.0f;
    }
}

// s_ij = ⟨q_i, k_j⟩ / √d
static void attention_scores(Matrix s, Matrix q, Matrix k)
{
    matmul_nt(s, q, k);
    scale(s, 1.0f / sqrtf((float)q.cols));
}

// TASK 16.3: each head of each sequence is copied out, attends for itself, and is copied back
void multi_head_attention(Matrix out, Matrix q, Matrix k, Matrix v, int batch, int heads)
{
    Arena *arena = arena_new();
    int time = q.rows / batch, width = q.cols / heads;
    Matrix head_q = matrix_new(arena, time, width), head_k = matrix_new(arena, time, width);
    Matrix head_v = matrix_new(arena, time, width), head_out = matrix_new(arena, time, width);
    Matrix s = matrix_new(arena, time, time), p = matrix_new(arena, time, time);
    for (int b = 0; b < batch; b++)
        for (int n = 0; n < heads; n++) {
            copy_columns(head_q, 0, matrix_rows(q, b * time, time), n * width, width);
            copy_columns(head_k, 0, matrix_rows(k, b * time, time), n * width, width);
            copy_columns(head_v, 0, matrix_rows(v, b * time, time), n * width, width);
            attention_scores(s, head_q, head_k);
            causal_softmax(p, s);
            matmul(head_out, p, head_v);
            copy_columns(matrix_rows(out, b * time, time), n * width, head_out, 0, width);
        }
    arena_free(arena);
}

// TASK 16.4: a weight counts by how much better its value is than the row's average
void attention_softmax_gradient(Matrix d_s, Matrix d_p, Matrix p)
{
    for (int i = 0; i < p.rows; i++) {
        float average = 0.0f;
        for (int j = 0; j < p.cols; j++) average += AT(p, i, j) * AT(d_p, i, j);
        for (int j = 0; j < p.cols; j++) AT(d_s, i, j) = AT(p, i, j) * (AT(d_p, i, j) - average);
    }
}

// TASK 16.5: from the last line of the forward pass to the first
void attention_gradient(Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix q, Matrix k, Matrix v)
{
    Arena *arena = arena_new();
    Matrix s = matrix_new(arena, q.rows, k.rows), p = matrix_new(arena, q.rows, k.rows);
    Matrix d_p = matrix_new(arena, q.rows, k.rows), d_s = matrix_new(arena, q.rows, k.rows);
    attention_scores(s, q, k);
    causal_softmax(p, s);
    matmul_tn(d_v, p, d_out);
    matmul_nt(d_p, d_out, v);
    attention_softmax_gradient(d_s, d_p, p);
    scale(d_s, 1.0f / sqrtf((float)q.cols));
    matmul(d_q, d_s, k);
    matmul_tn(d_k, d_s, q);
    arena_free(arena);
}
