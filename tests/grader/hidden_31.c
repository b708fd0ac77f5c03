// hidden_31.c: random inputs for the exercises of chapter 31. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

#include <math.h>

ROUNDS(6, the_advantages_in_random_groups)
{
    int prompts = hidden_between(rng, 1, 6), samples = hidden_between(rng, 2, 16);
    Matrix rewards = hidden_matrix(rng, arena, prompts, samples);
    if (i % 3 == 2) fill(matrix_rows(rewards, 0, 1), rng_between(rng, 0.0f, 1.0f));
    same_group_advantages(1e-4f, hidden_matrix(rng, arena, prompts, samples), rewards, i % 2, 0.1f);
}

// Rows that are masked have the token −1. The loss is a sum of both signs: the tolerance is for what cancels.
ROUNDS(4, the_gradient_of_random_answers)
{
    int rows = hidden_between(rng, 4, 12), vocabulary = hidden_between(rng, 3, 30);
    Matrix tokens = matrix_new(arena, 1, rows), mask = matrix_new(arena, 1, rows);
    for (int t = 0; t < rows; t++) {
        int token = hidden_between(rng, 0, vocabulary - 1);
        mask.data[t] = t == 1 || hidden_between(rng, 0, 2) > 0 ? 1.0f : 0.0f;
        tokens.data[t] = mask.data[t] > 0.0f ? (float)token : -1.0f;
    }
    Matrix logits = hidden_matrix(rng, arena, rows, vocabulary),
           advantages = hidden_matrix(rng, arena, 1, rows);
    same_policy_gradient(2e-3f, hidden_matrix(rng, arena, rows, vocabulary), logits, tokens, mask,
                         advantages);
}

ROUNDS(6, the_right_ones_of_random_answers)
{
    int samples = hidden_between(rng, 3, 12), n = samples * hidden_between(rng, 1, 5);
    Matrix answers = matrix_new(arena, n, 3), lengths = matrix_new(arena, 1, n),
           right = matrix_new(arena, 1, n);
    for (int row = 0; row < n; row++) {
        for (int t = 0; t < 3; t++) AT(answers, row, t) = (float)hidden_between(rng, 10, 12);
        lengths.data[row] = (float)hidden_between(rng, 1, 3);
        right.data[row] = (float)hidden_between(rng, 0, 1);
    }
    same_keep_right(0.0f, hidden_matrix(rng, arena, 1, n), answers, lengths, right, samples);
}

ROUNDS(4, the_loss_of_random_pairs)
{
    int n = hidden_between(rng, 3, 20), m = hidden_between(rng, 1, 40);
    Matrix rewards = hidden_matrix(rng, arena, 1, n), pairs = matrix_new(arena, m, 2);
    for (int row = 0; row < m; row++) {
        int preferred = hidden_between(rng, 0, n - 1), step = hidden_between(rng, 1, n - 1);
        AT(pairs, row, 0) = (float)preferred;
        AT(pairs, row, 1) = (float)((preferred + step) % n);
    }
    same_pair_loss(1e-4f, hidden_matrix(rng, arena, 1, n), rewards, pairs);
}

// Row 1 has a token at least, and in every third round row 0 has none. So is this loss a sum of both signs.
ROUNDS(6, the_loss_of_a_random_group)
{
    int rows = hidden_between(rng, 2, 8), cols = hidden_between(rng, 2, 12);
    Matrix now = hidden_matrix(rng, arena, rows, cols), reference = hidden_matrix(rng, arena, rows, cols);
    Matrix advantages = hidden_matrix(rng, arena, 1, rows), mask = matrix_new(arena, rows, cols);
    for (int row = 0; row < rows; row++)
        for (int t = 0; t < cols; t++) {
            bool own = hidden_between(rng, 0, 2) > 0 || (row == 1 && t == 1);
            AT(mask, row, t) = own && (row > 0 || i % 3 < 2) ? 1.0f : 0.0f;
            AT(now, row, t) = -fabsf(AT(now, row, t));
            AT(reference, row, t) = fminf(0.0f, AT(now, row, t) + 0.4f * AT(reference, row, t));
        }
    float beta = rng_between(rng, 0.1f, 1.0f);
    same_grpo_loss(2e-3f, hidden_matrix(rng, arena, rows, cols), now, reference, mask, advantages, beta);
}

HIDDEN({"31.1", the_advantages_in_random_groups}, {"31.2", the_gradient_of_random_answers},
       {"31.3", the_right_ones_of_random_answers}, {"31.4", the_loss_of_random_pairs},
       {"31.5", the_loss_of_a_random_group})
