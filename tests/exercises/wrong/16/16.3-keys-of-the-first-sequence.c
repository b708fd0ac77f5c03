// 16.3-keys-of-the-first-sequence.c: every sequence looks at the first.
// expect-fail: 16.3
#include "exercise.h"

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
            copy_columns(head_k, 0, matrix_rows(k, 0, time), n * width, width);
            copy_columns(head_v, 0, matrix_rows(v, 0, time), n * width, width);
            attention_scores(s, head_q, head_k);
            causal_softmax(p, s);
            matmul(head_out, p, head_v);
            copy_columns(matrix_rows(out, b * time, time), n * width, head_out, 0, width);
        }
    arena_free(arena);
}
