// hidden_16.c: random inputs for the exercises of chapter 16. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    Matrix q, d_out;              // (T × d)
    Matrix k, v;                  // (S × d)
    Matrix s, d_p, got, expected; // (T × S), the last two full of the same rubbish
} Round;

static Round draw(Rng *rng)
{
    int t = hidden_between(rng, 2, 7), s = t + hidden_between(rng, 0, 4), d = hidden_between(rng, 2, 9);
    Round r = {.arena = arena_new()};
    r.q = hidden_matrix(rng, r.arena, t, d);
    r.d_out = hidden_matrix(rng, r.arena, t, d);
    r.k = hidden_matrix(rng, r.arena, s, d);
    r.v = hidden_matrix(rng, r.arena, s, d);
    r.s = hidden_matrix(rng, r.arena, t, s);
    r.d_p = hidden_matrix(rng, r.arena, t, s);
    r.got = hidden_matrix(rng, r.arena, t, s);
    r.expected = matrix_copy(r.arena, r.got);
    return r;
}

START_TEST(random_scores)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        attention_scores(r.got, r.q, r.k);
        reference_attention_scores(r.expected, r.q, r.k);
        hidden_close_matrix(r.got, r.expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_weights)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        causal_softmax(r.got, r.s);
        reference_causal_softmax(r.expected, r.s);
        hidden_close_matrix(r.got, r.expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_batches_with_heads)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        int batch = hidden_between(&rng, 2, 4), time = hidden_between(&rng, 2, 6),
            heads = hidden_between(&rng, 2, 4), width = hidden_between(&rng, 1, 5);
        Matrix q = hidden_matrix(&rng, arena, batch * time, heads * width),
               k = hidden_matrix(&rng, arena, batch * time, heads * width),
               v = hidden_matrix(&rng, arena, batch * time, heads * width),
               got = hidden_matrix(&rng, arena, batch * time, heads * width),
               expected = matrix_copy(arena, got);
        multi_head_attention(got, q, k, v, batch, heads);
        reference_multi_head_attention(expected, q, k, v, batch, heads);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(random_gradients_of_scores)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix p = matrix_new(r.arena, r.s.rows, r.s.cols);
        reference_causal_softmax(p, r.s);
        attention_softmax_gradient(r.got, r.d_p, p);
        reference_attention_softmax_gradient(r.expected, r.d_p, p);
        hidden_close_matrix(r.got, r.expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_gradients)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix got[3] = {matrix_copy(r.arena, r.q), matrix_copy(r.arena, r.k), matrix_copy(r.arena, r.v)};
        Matrix expected[3] = {matrix_copy(r.arena, r.q), matrix_copy(r.arena, r.k),
                              matrix_copy(r.arena, r.v)};
        attention_gradient(got[0], got[1], got[2], r.d_out, r.q, r.k, r.v);
        reference_attention_gradient(expected[0], expected[1], expected[2], r.d_out, r.q, r.k, r.v);
        for (int n = 0; n < 3; n++) hidden_close_matrix(got[n], expected[n], 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"16.1", random_scores}, {"16.2", random_weights}, {"16.3", random_batches_with_heads},
       {"16.4", random_gradients_of_scores}, {"16.5", random_gradients})
