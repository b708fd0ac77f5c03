// hidden_02.c: random inputs for the exercises of chapter 2. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    int n, d, k;
    Matrix x, y, labels; // (n × d), (n × 1) twice
} Data;

static Data draw(Rng *rng, Arena *arena)
{
    Data data = {.n = hidden_between(rng, 6, 30)};
    data.d = hidden_between(rng, 2, 6);
    data.k = hidden_between(rng, 2, 6);
    data.x = hidden_matrix(rng, arena, data.n, data.d);
    data.y = matrix_new(arena, data.n, 1);
    data.labels = matrix_new(arena, data.n, 1);
    for (int i = 0; i < data.n; i++) {
        data.y.data[i] = i < 2 ? (float)i : (float)hidden_between(rng, 0, 1); // both kinds are there
        data.labels.data[i] = (float)hidden_between(rng, 0, data.k - 1);
    }
    return data;
}

ROUNDS(3, the_logistic_loss_of_random_data)
{
    Data data = draw(rng, arena);
    same_logistic_loss(1e-4f, data.x, hidden_matrix(rng, arena, data.d, 1), data.y);
}

ROUNDS(3, the_logistic_gradient_of_random_data)
{
    Data data = draw(rng, arena);
    Matrix gradient = hidden_matrix(rng, arena, data.d, 1);
    same_logistic_gradient(1e-3f, gradient, data.x, hidden_matrix(rng, arena, data.d, 1), data.y);
}

ROUNDS(3, the_softmax_of_random_scores)
{
    Data data = draw(rng, arena);
    Matrix p = hidden_matrix(rng, arena, data.n, data.k);
    same_softmax_of_rows(1e-4f, p, hidden_matrix(rng, arena, data.n, data.k));
}

ROUNDS(3, the_softmax_gradient_of_random_data)
{
    Data data = draw(rng, arena);
    Matrix gradient = hidden_matrix(rng, arena, data.d, data.k);
    same_softmax_gradient(1e-3f, gradient, data.x, hidden_matrix(rng, arena, data.d, data.k), data.labels);
}

ROUNDS(3, the_area_under_random_curves)
{
    Data data = draw(rng, arena);
    same_area_under_curve(1e-4f, hidden_matrix(rng, arena, data.n, 1), data.y);
}

HIDDEN({"2.1", the_logistic_loss_of_random_data}, {"2.2", the_logistic_gradient_of_random_data},
       {"2.3", the_softmax_of_random_scores}, {"2.4", the_softmax_gradient_of_random_data},
       {"2.5", the_area_under_random_curves})
