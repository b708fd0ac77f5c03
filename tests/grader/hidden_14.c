// hidden_14.c: random inputs for the exercises of chapter 14. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix z, h, d_h; // (B × 4H), two of (B × H)
} Step;

static Step draw(Rng *rng, Arena *arena)
{
    int batch = hidden_between(rng, 1, 5), hidden = hidden_between(rng, 2, 9);
    Step step = {.z = hidden_matrix(rng, arena, batch, 4 * hidden)};
    step.h = hidden_matrix(rng, arena, batch, hidden);
    step.d_h = hidden_matrix(rng, arena, batch, hidden);
    return step;
}

ROUNDS(3, the_bias_for_random_steps) { same_forget_bias(1e-4f, 2.0f + 60.0f * rng_uniform(rng)); }

ROUNDS(3, random_steps_of_a_gru)
{
    Step step = draw(rng, arena);
    same_gru_step(1e-4f, step.h, step.z);
}

ROUNDS(3, gradients_of_random_steps)
{
    Step step = draw(rng, arena);
    same_gru_step_gradient(1e-4f, matrix_copy(arena, step.z), step.d_h, step.h, step.z);
}

ROUNDS(3, random_gradients_clipped)
{
    Step step = draw(rng, arena);
    same_clip(1e-4f, step.z, 0.5f + 10.0f * rng_uniform(rng));
}

ROUNDS(3, random_counts_smoothed)
{
    int k = hidden_between(rng, 3, 12);
    Matrix counts = matrix_new(arena, k, k);
    for (int row = 1; row < k; row++) // the first row stays empty
        for (int j = 0; j < k; j++) AT(counts, row, j) = (float)int_max(0, hidden_between(rng, -6, 9));
    AT(counts, 1, 1) = 2.0f;
    same_witten_bell(1e-4f, hidden_matrix(rng, arena, k, k), counts);
}

HIDDEN({"14.1", the_bias_for_random_steps}, {"14.2", random_steps_of_a_gru},
       {"14.3", gradients_of_random_steps}, {"14.4", random_gradients_clipped},
       {"14.5", random_counts_smoothed})
