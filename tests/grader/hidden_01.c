// hidden_01.c: random inputs for the exercises of chapter 1. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix x, w, y; // (n × d), (d × 1), (n × 1)
} Data;

static Data draw(Rng *rng, Arena *arena)
{
    int n = hidden_between(rng, 5, 40), d = hidden_between(rng, 2, 6);
    Data data = {.x = hidden_matrix(rng, arena, n, d)};
    data.w = hidden_matrix(rng, arena, d, 1);
    data.y = hidden_matrix(rng, arena, n, 1);
    return data;
}

ROUNDS(3, the_loss_of_random_data)
{
    Data data = draw(rng, arena);
    same_regression_loss(1e-4f, data.x, data.w, data.y);
}

ROUNDS(3, the_gradient_of_random_data)
{
    Data data = draw(rng, arena);
    same_regression_gradient(1e-4f, hidden_matrix(rng, arena, data.x.cols, 1), data.x, data.w, data.y);
}

ROUNDS(3, steps_down_random_data)
{
    Data data = draw(rng, arena);
    float rate = rng_between(rng, 0.02f, 0.1f);
    same_regression_descend(1e-4f, data.w, data.x, data.y, rate, hidden_between(rng, 2, 9));
}

ROUNDS(3, the_ridge_solution_of_random_data)
{
    Data data = draw(rng, arena);
    same_regression_ridge(1e-3f, data.w, data.x, data.y, rng_between(rng, 0.1f, 2.0f));
}

HIDDEN({"1.1", the_loss_of_random_data}, {"1.2", the_gradient_of_random_data},
       {"1.3", steps_down_random_data}, {"1.4", the_ridge_solution_of_random_data})
