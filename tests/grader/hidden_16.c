// hidden_16.c: random inputs for the exercises of chapter 16. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix q, d_out;    // (T × d)
    Matrix k, v;        // (S × d)
    Matrix s, d_p, any; // (T × S)
} Head;

static Head draw(Rng *rng, Arena *arena)
{
    int t = hidden_between(rng, 2, 7), s = t + hidden_between(rng, 0, 4), d = hidden_between(rng, 2, 9);
    Head head = {.q = hidden_matrix(rng, arena, t, d)};
    head.d_out = hidden_matrix(rng, arena, t, d);
    head.k = hidden_matrix(rng, arena, s, d);
    head.v = hidden_matrix(rng, arena, s, d);
    head.s = hidden_matrix(rng, arena, t, s);
    head.d_p = hidden_matrix(rng, arena, t, s);
    head.any = hidden_matrix(rng, arena, t, s);
    return head;
}

ROUNDS(3, random_regressions)
{
    Head head = draw(rng, arena);
    same_kernel_regression(1e-3f, head.d_out, head.q, head.k, head.v, 0.5f + rng_uniform(rng));
}

ROUNDS(3, random_weights)
{
    Head head = draw(rng, arena);
    same_causal_softmax(1e-4f, head.any, head.s);
}

ROUNDS(3, random_batches_with_heads)
{
    int batch = hidden_between(rng, 2, 4), time = hidden_between(rng, 2, 6);
    int heads = hidden_between(rng, 2, 4), width = hidden_between(rng, 1, 5);
    Matrix m[4];
    for (int n = 0; n < 4; n++) m[n] = hidden_matrix(rng, arena, batch * time, heads * width);
    same_multi_head_attention(1e-3f, m[0], m[1], m[2], m[3], batch, heads);
}

ROUNDS(3, random_gradients_of_scores)
{
    Head head = draw(rng, arena);
    Matrix p = matrix_new(arena, head.s.rows, head.s.cols);
    reference_causal_softmax(p, head.s);
    same_attention_softmax_gradient(1e-3f, head.any, head.d_p, p);
}

ROUNDS(3, random_gradients)
{
    Head head = draw(rng, arena);
    same_attention_gradient(1e-3f, matrix_copy(arena, head.q), matrix_copy(arena, head.k),
                            matrix_copy(arena, head.v), head.d_out, head.q, head.k, head.v);
}

HIDDEN({"16.1", random_regressions}, {"16.2", random_weights}, {"16.3", random_batches_with_heads},
       {"16.4", random_gradients_of_scores}, {"16.5", random_gradients})
