// hidden_05.c: random inputs for the exercises of chapter 5.
#include "reference.h"

ROUNDS(3, a_step_of_random_coordinates)
{
    const int n = hidden_between(rng, 2, 9);
    Matrix sums = hidden_matrix(rng, arena, 1, n);
    multiply(sums, sums, sums);
    Matrix x = hidden_matrix(rng, arena, 1, n), gradient = hidden_matrix(rng, arena, 1, n);
    same_adagrad_step(1e-4f, x, sums, gradient, rng_between(rng, 0.01f, 0.5f));
}

ROUNDS(3, the_steps_of_random_bowls)
{
    const float least = rng_between(rng, 0.5f, 2.0f), most = least + rng_between(rng, 1.0f, 9.0f);
    same_steps_for_a_digit(1e-3f, rng_between(rng, 0.1f, 1.8f) / most, least, most);
}

ROUNDS(3, the_gradient_of_random_pairs)
{
    const int k = hidden_between(rng, 2, 20), n = hidden_between(rng, 2, 6);
    Matrix above = hidden_matrix(rng, arena, k, 1), below = hidden_matrix(rng, arena, k, 1);
    Matrix noise = hidden_matrix(rng, arena, k, n);
    same_gradient_from_heights(1e-4f, hidden_matrix(rng, arena, 1, n), above, below, noise,
                               rng_between(rng, 0.1f, 0.5f));
}

ROUNDS(3, the_exchange_of_random_walkers)
{
    const float f1 = rng_between(rng, 0.0f, 3.0f), f2 = rng_between(rng, 0.0f, 3.0f);
    const float t1 = rng_between(rng, 0.3f, 2.0f), t2 = rng_between(rng, 0.3f, 2.0f);
    same_exchange_probability(1e-4f, f1, t1, f2, t2);
}

HIDDEN({"5.1", a_step_of_random_coordinates}, {"5.2", the_steps_of_random_bowls},
       {"5.3", the_gradient_of_random_pairs}, {"5.4", the_exchange_of_random_walkers})
