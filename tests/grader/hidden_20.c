// hidden_20.c: random inputs for the exercises of chapter 20. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

// Random probabilities, full of ties: multiples of 1/64.
static Matrix probabilities(Rng *rng, Arena *arena)
{
    int count = hidden_between(rng, 5, 20);
    Matrix p = matrix_new(arena, 1, count);
    for (int n = 0; n < 64; n++) p.data[hidden_between(rng, 0, count - 1)] += 1.0f / 64;
    return p;
}

ROUNDS(4, random_logits_and_labels)
{
    int time = hidden_between(rng, 2, 8), count = hidden_between(rng, 3, 20);
    Matrix logits = hidden_matrix(rng, arena, time, count), labels = matrix_new(arena, 1, time);
    for (int t = 0; t < time; t++) labels.data[t] = (float)hidden_between(rng, -1, count - 1);
    same_bits_per_character(1e-4f, logits, labels, hidden_between(rng, 5, 30));
}

ROUNDS(4, random_numbers_of_tokens_kept)
{
    Matrix p = probabilities(rng, arena);
    same_keep_top_k(1e-5f, p, hidden_between(rng, 1, p.cols));
}

ROUNDS(4, random_nuclei)
{
    Matrix p = probabilities(rng, arena);
    same_keep_nucleus(1e-5f, p, (float)hidden_between(rng, 1, 63) / 64);
}

ROUNDS(20, random_draws)
{
    Matrix p = probabilities(rng, arena);
    same_draw(0.0f, p, (float)hidden_between(rng, 0, 63) / 64);
}

ROUNDS(4, random_blocks)
{
    int heads = hidden_between(rng, 1, 3), c = heads * hidden_between(rng, 2, 4),
        h = hidden_between(rng, 3, 9);
    Matrix x = hidden_matrix(rng, arena, hidden_between(rng, 2, 6), c);
    Matrix qkv = hidden_matrix(rng, arena, c, 3 * c), out = hidden_matrix(rng, arena, c, c);
    Matrix up = hidden_matrix(rng, arena, c, h);
    same_decoder_block(1e-3f, x, qkv, out, up, hidden_matrix(rng, arena, h, c), heads);
}

HIDDEN({"20.1", random_logits_and_labels}, {"20.2", random_numbers_of_tokens_kept}, {"20.3", random_nuclei},
       {"20.4", random_draws}, {"20.5", random_blocks})
