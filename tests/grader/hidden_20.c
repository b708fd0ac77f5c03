// hidden_20.c: random inputs for the exercises of chapter 20. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 4 };

// Random probabilities, full of ties: multiples of 1/64.
static Matrix probabilities(Rng *rng, Arena *arena)
{
    int count = hidden_between(rng, 5, 20);
    Matrix p = matrix_new(arena, 1, count);
    for (int n = 0; n < 64; n++) p.data[hidden_between(rng, 0, count - 1)] += 1.0f / 64;
    return p;
}

START_TEST(random_logits_softened)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        Matrix logits = hidden_matrix(&rng, arena, 1, hidden_between(&rng, 3, 20));
        Matrix got = hidden_matrix(&rng, arena, 1, logits.cols), expected = matrix_copy(arena, got);
        float temperature = 0.1f + 2.0f * rng_uniform(&rng);
        soften(got, logits, temperature);
        reference_soften(expected, logits, temperature);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(random_numbers_of_tokens_kept)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        Matrix got = probabilities(&rng, arena), expected = matrix_copy(arena, got);
        int k = hidden_between(&rng, 1, got.cols);
        keep_top_k(got, k);
        reference_keep_top_k(expected, k);
        hidden_close_matrix(got, expected, 1e-5f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(random_nuclei)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        Matrix got = probabilities(&rng, arena), expected = matrix_copy(arena, got);
        float share = (float)hidden_between(&rng, 1, 63) / 64;
        keep_nucleus(got, share);
        reference_keep_nucleus(expected, share);
        hidden_close_matrix(got, expected, 1e-5f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(random_draws)
{
    for (int i = 0; i < 5 * ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        Matrix p = probabilities(&rng, arena);
        float uniform = (float)hidden_between(&rng, 0, 63) / 64;
        hidden_close((float)draw(p, uniform), (float)reference_draw(p, uniform), 0.0f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(random_blocks)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        int heads = hidden_between(&rng, 1, 3), c = heads * hidden_between(&rng, 2, 4),
            h = hidden_between(&rng, 3, 9);
        Matrix got = hidden_matrix(&rng, arena, hidden_between(&rng, 2, 6), c),
               expected = matrix_copy(arena, got);
        Matrix qkv = hidden_matrix(&rng, arena, c, 3 * c), out = hidden_matrix(&rng, arena, c, c);
        Matrix up = hidden_matrix(&rng, arena, c, h), down = hidden_matrix(&rng, arena, h, c);
        decoder_block(got, qkv, out, up, down, heads);
        reference_decoder_block(expected, qkv, out, up, down, heads);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(arena);
    }
}
END_TEST

HIDDEN({"20.1", random_logits_softened}, {"20.2", random_numbers_of_tokens_kept}, {"20.3", random_nuclei},
       {"20.4", random_draws}, {"20.5", random_blocks})
