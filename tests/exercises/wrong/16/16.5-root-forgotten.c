// 16.5-root-forgotten.c: the gradients of queries and keys are √d too large.
// expect-fail: 16.5
#include "exercise.h"

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
    matmul(d_q, d_s, k);
    matmul_tn(d_k, d_s, q);
    arena_free(arena);
}
