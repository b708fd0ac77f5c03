// hidden_25.c: random inputs for the exercises of chapter 25. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

ROUNDS(3, the_passing_loss_of_random_logits)
{
    Matrix logits = hidden_matrix(rng, arena, hidden_between(rng, 2, 40), 1);
    scale(logits, 3.0f);
    same_passing_loss(1e-4f, hidden_matrix(rng, arena, logits.rows, 1), logits);
}

ROUNDS(3, the_verdict_on_random_logits)
{
    Matrix real = hidden_matrix(rng, arena, hidden_between(rng, 2, 30), 1);
    Matrix made = hidden_matrix(rng, arena, hidden_between(rng, 2, 30), 1);
    scale(real, 60.0f), scale(made, 60.0f);
    Matrix d_real = hidden_matrix(rng, arena, real.rows, 1);
    same_verdict_loss(1e-4f, d_real, hidden_matrix(rng, arena, made.rows, 1), real, made);
}

ROUNDS(3, the_penalty_of_random_networks)
{
    int samples = hidden_between(rng, 2, 20), inputs = hidden_between(rng, 2, 6),
        hidden = hidden_between(rng, 2, 12);
    Matrix x = hidden_matrix(rng, arena, samples, inputs), w = hidden_matrix(rng, arena, inputs, hidden);
    Matrix b = hidden_matrix(rng, arena, 1, hidden), v = hidden_matrix(rng, arena, hidden, 1);
    Matrix d_w = hidden_matrix(rng, arena, inputs, hidden);
    same_flatness_penalty(1e-3f, d_w, hidden_matrix(rng, arena, hidden, 1), x, w, b, v, 2.5f);
}

ROUNDS(3, the_modes_of_random_points)
{
    int dimensions = hidden_between(rng, 1, 3), modes = hidden_between(rng, 2, 7),
        least = hidden_between(rng, 2, 12);
    Matrix points = hidden_matrix(rng, arena, hidden_between(rng, 20, 60), dimensions);
    Matrix centres = hidden_matrix(rng, arena, modes, dimensions);
    same_modes_found(0.0f, hidden_matrix(rng, arena, 1, modes), points, centres, 0.8f, least);
}

ROUNDS(3, the_distance_of_random_lists)
{
    Matrix a = hidden_matrix(rng, arena, hidden_between(rng, 2, 20), 1);
    Matrix b = hidden_matrix(rng, arena, hidden_between(rng, 2, 20), 1);
    scale(b, 2.0f), add_scalar(b, 1.5f);
    same_distance_of_numbers(1e-3f, a, b);
}

HIDDEN({"25.1", the_passing_loss_of_random_logits}, {"25.2", the_verdict_on_random_logits},
       {"25.3", the_penalty_of_random_networks}, {"25.4", the_modes_of_random_points},
       {"25.5", the_distance_of_random_lists})
