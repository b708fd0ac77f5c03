// hidden_14.c: random inputs for the exercises of chapter 14. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix z, c, d_h, d_c; // (B × 4H), three of (B × H)
} Cell;

static Cell draw(Rng *rng, Arena *arena)
{
    int batch = hidden_between(rng, 1, 5), hidden = hidden_between(rng, 2, 9);
    Cell cell = {.z = hidden_matrix(rng, arena, batch, 4 * hidden)};
    cell.c = hidden_matrix(rng, arena, batch, hidden);
    cell.d_h = hidden_matrix(rng, arena, batch, hidden);
    cell.d_c = hidden_matrix(rng, arena, batch, hidden);
    return cell;
}

ROUNDS(3, the_bias_for_random_steps) { same_forget_bias(1e-4f, 2.0f + 60.0f * rng_uniform(rng)); }

ROUNDS(3, random_steps_of_the_cell)
{
    Cell cell = draw(rng, arena);
    same_cell_step(1e-4f, cell.d_h, cell.c, cell.z);
}

ROUNDS(3, gradients_of_random_steps)
{
    Cell cell = draw(rng, arena);
    same_cell_step_gradient(1e-4f, matrix_copy(arena, cell.z), cell.d_c, cell.d_h, cell.c, cell.z);
}

ROUNDS(3, random_gradients_clipped)
{
    Cell cell = draw(rng, arena);
    same_clip(1e-4f, cell.z, 0.5f + 10.0f * rng_uniform(rng));
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

HIDDEN({"14.1", the_bias_for_random_steps}, {"14.2", random_steps_of_the_cell},
       {"14.3", gradients_of_random_steps}, {"14.4", random_gradients_clipped},
       {"14.5", random_counts_smoothed})
