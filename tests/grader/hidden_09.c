// hidden_09.c: random inputs for the exercises of chapter 9. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix x, d, w; // (N × C), (N × C), (L·C × C)
} Data;

static Data draw(Rng *rng, Arena *arena)
{
    int n = hidden_between(rng, 2, 7), c = hidden_between(rng, 3, 9), layers = hidden_between(rng, 2, 4);
    Data data = {.x = hidden_matrix(rng, arena, n, c)};
    data.d = hidden_matrix(rng, arena, n, c);
    data.w = hidden_matrix(rng, arena, layers * c, c);
    scale(data.w, 0.5f);
    return data;
}

ROUNDS(3, the_gain_for_random_slopes) { same_keeping_gain(1e-5f, rng_uniform(rng)); }

ROUNDS(3, random_rows_normalised)
{
    Data data = draw(rng, arena);
    same_normalise(1e-3f, data.d, data.x);
}

ROUNDS(3, the_derivative_at_random_rows)
{
    Data data = draw(rng, arena);
    same_normalise_gradient(1e-3f, matrix_copy(arena, data.x), data.d, data.x);
}

ROUNDS(3, random_stacks)
{
    Data data = draw(rng, arena);
    same_stack_forward(1e-3f, data.x, data.w);
}

ROUNDS(3, the_gradients_of_random_stacks)
{
    Data data = draw(rng, arena);
    same_stack_gradient(2e-3f, data.d, data.x, data.w);
}

HIDDEN({"9.1", the_gain_for_random_slopes}, {"9.2", random_rows_normalised},
       {"9.3", the_derivative_at_random_rows}, {"9.4", random_stacks},
       {"9.5", the_gradients_of_random_stacks})
