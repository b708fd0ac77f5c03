// hidden_17.c: random inputs for the exercises of chapter 17. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

ROUNDS(3, random_smoothed_losses)
{
    int n = hidden_between(rng, 3, 8), k = hidden_between(rng, 2, 9);
    Matrix logits = hidden_matrix(rng, arena, n, k), labels = matrix_new(arena, 1, n);
    for (int r = 0; r < n; r++) labels.data[r] = (float)hidden_between(rng, 0, k - 1);
    labels.data[hidden_between(rng, 1, n - 1)] = -1.0f;
    same_smoothed_loss(1e-4f, logits, labels, 0.5f * rng_uniform(rng));
}

ROUNDS(3, random_steps)
{
    int columns = 2 * hidden_between(rng, 2, 12);
    Matrix now = hidden_matrix(rng, arena, 1, columns); // any hands at all
    Matrix later = hidden_matrix(rng, arena, 1, columns);
    same_step_position(1e-4f, later, now, hidden_between(rng, 1, 40));
}

ROUNDS(3, random_padding)
{
    int t = hidden_between(rng, 2, 6), s = hidden_between(rng, 3, 12), d = hidden_between(rng, 2, 8);
    Matrix q = hidden_matrix(rng, arena, t, d), k = hidden_matrix(rng, arena, s, d);
    Matrix v = hidden_matrix(rng, arena, s, d), out = hidden_matrix(rng, arena, t, d);
    Matrix mask = matrix_new(arena, 1, s);
    for (int j = 0; j < s; j++) mask.data[j] = (float)hidden_between(rng, 0, 1);
    same_padded_attention(1e-3f, out, q, k, v, mask);
}

ROUNDS(3, random_beams)
{
    int hypotheses = hidden_between(rng, 2, 5), tokens = hidden_between(rng, 3, 9),
        width = hidden_between(rng, 2, 6);
    Matrix totals = hidden_matrix(rng, arena, 1, hypotheses),
           steps = hidden_matrix(rng, arena, hypotheses, tokens);
    same_beam_step(0.0f, hidden_matrix(rng, arena, width, 2), totals, steps, width);
}

ROUNDS(6, random_translations)
{
    int n = hidden_between(rng, 6, 20), m = hidden_between(rng, 6, 20);
    Matrix candidate = matrix_new(arena, 1, n), reference = matrix_new(arena, 1, m);
    for (int t = 0; t < n; t++) candidate.data[t] = (float)hidden_between(rng, 0, 2);
    for (int t = 0; t < m; t++) reference.data[t] = (float)hidden_between(rng, 0, 2);
    same_bleu(1e-4f, candidate, reference, 1 + i % 4);
}

HIDDEN({"17.1", random_smoothed_losses}, {"17.2", random_steps}, {"17.3", random_padding},
       {"17.4", random_beams}, {"17.5", random_translations})
