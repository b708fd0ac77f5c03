// 16.5-values-from-queries.c: d_p from the queries instead of the gradient.
// expect-fail: 16.5
#include "exercise.h"
#include <math.h>

void attention_gradient(Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix q, Matrix k, Matrix v)
{
    Arena *arena = arena_new();
    Matrix s = matrix_new(arena, q.rows, k.rows), p = matrix_new(arena, q.rows, k.rows);
    Matrix d_p = matrix_new(arena, q.rows, k.rows), d_s = matrix_new(arena, q.rows, k.rows);
    attention_scores(s, q, k);
    causal_softmax(p, s);
    matmul_tn(d_v, p, d_out);
    matmul_nt(d_p, q, v);
    attention_softmax_gradient(d_s, d_p, p);
    scale(d_s, 1.0f / sqrtf((float)q.cols));
    matmul(d_q, d_s, k);
    matmul_tn(d_k, d_s, q);
    arena_free(arena);
}
