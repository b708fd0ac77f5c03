// hidden_07.c: random inputs for the exercises of chapter 7. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

ROUNDS(3, quotients_of_random_numbers)
{
    float a = rng_between(rng, -3.0f, 3.0f), b = rng_between(rng, 0.5f, 2.0f) * (i % 2 ? -1.0f : 1.0f);
    same_tape_divide(1e-4f, hidden_matrix(rng, arena, 1, 3), a, b);
}

// A random tape: the first lines are made from none, the later ones from one or two earlier lines.
static Matrix draw_tape(Rng *rng, Arena *arena)
{
    int n = hidden_between(rng, 6, 15), inputs = hidden_between(rng, 1, 3);
    Matrix tape = hidden_matrix(rng, arena, n, 4);
    for (int i = 0; i < n; i++) {
        AT(tape, i, 0) = i < inputs ? -1.0f : (float)hidden_between(rng, 0, i - 1);
        AT(tape, i, 1) = i < inputs || i % 3 == 0 ? -1.0f : (float)hidden_between(rng, 0, i - 1);
    }
    return tape;
}

ROUNDS(3, random_tapes_played_backwards)
{
    Matrix tape = draw_tape(rng, arena);
    same_tape_play_backwards(1e-3f, hidden_matrix(rng, arena, tape.rows, 1), tape);
}

ROUNDS(3, what_random_products_give_back)
{
    int m = hidden_between(rng, 2, 7), k = hidden_between(rng, 2, 7), n = hidden_between(rng, 2, 7);
    Matrix a = hidden_matrix(rng, arena, m, k), b = hidden_matrix(rng, arena, k, n);
    Matrix d_a = hidden_matrix(rng, arena, m, k), d_b = hidden_matrix(rng, arena, k, n);
    same_product_gives_back(1e-4f, d_a, d_b, hidden_matrix(rng, arena, m, n), a, b);
}

ROUNDS(3, what_random_softmaxes_give_back)
{
    int n = hidden_between(rng, 2, 7), k = hidden_between(rng, 2, 7);
    Matrix y = matrix_new(arena, n, k), d_y = hidden_matrix(rng, arena, n, k);
    fill_uniform(y, rng, 0.1f, 1.0f);
    for (int r = 0; r < n; r++) { // each row's sum is 1, as softmax makes it
        float total = 0.0f;
        for (int j = 0; j < k; j++) total += AT(y, r, j);
        for (int j = 0; j < k; j++) AT(y, r, j) /= total;
    }
    same_softmax_gives_back(1e-4f, hidden_matrix(rng, arena, n, k), d_y, y);
}

ROUNDS(3, random_products_with_themselves)
{
    int n = hidden_between(rng, 2, 7), d = hidden_between(rng, 2, 7);
    Matrix y = hidden_matrix(rng, arena, n, n), d_x = hidden_matrix(rng, arena, n, d);
    Matrix d_y = hidden_matrix(rng, arena, n, n);
    same_product_with_itself(1e-4f, y, d_x, d_y, hidden_matrix(rng, arena, n, d));
}

HIDDEN({"7.1", quotients_of_random_numbers}, {"7.2", random_tapes_played_backwards},
       {"7.3", what_random_products_give_back}, {"7.4", what_random_softmaxes_give_back},
       {"7.5", random_products_with_themselves})
