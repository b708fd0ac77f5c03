// hidden_03.c: random inputs for the exercises of chapter 3.
#include "reference.h"

// n whole numbers from 0 to below − 1
static Matrix whole_numbers(Rng *rng, Arena *arena, int rows, int cols, int below)
{
    Matrix m = matrix_new(arena, rows, cols);
    for (size_t i = 0; i < matrix_size(m); i++) m.data[i] = (float)hidden_between(rng, 0, below - 1);
    return m;
}

// ±1, both of them
static Matrix signs(Rng *rng, Arena *arena, int n)
{
    Matrix y = whole_numbers(rng, arena, n, 1, 2);
    y.data[0] = 0, y.data[1] = 1;
    for (int i = 0; i < n; i++) y.data[i] = 2 * y.data[i] - 1;
    return y;
}

ROUNDS(3, the_entropy_of_random_columns)
{
    const int n = hidden_between(rng, 5, 40), classes = hidden_between(rng, 2, 5);
    Matrix labels = whole_numbers(rng, arena, n, 1, classes), values = whole_numbers(rng, arena, n, 1, 3);
    for (int k = 1; k < n; k++) values.data[k] += values.data[k - 1]; // ascending, some equal
    same_least_entropy(1e-4f, values, labels, classes);
}

ROUNDS(3, the_price_of_random_branches)
{
    const int leaves = hidden_between(rng, 2, 9), classes = hidden_between(rng, 2, 5);
    Matrix counts = whole_numbers(rng, arena, leaves, classes, 12);
    for (int l = 0; l < leaves; l++) AT(counts, l, l % classes) += 5;
    same_price_of_branch(1e-4f, counts, (float)hidden_between(rng, 900, 2000) / 2);
}

ROUNDS(3, the_error_of_random_forests)
{
    const int trees = hidden_between(rng, 3, 15), n = hidden_between(rng, 5, 20),
              classes = hidden_between(rng, 2, 4);
    Matrix answers = whole_numbers(rng, arena, trees, n, classes),
           bags = whole_numbers(rng, arena, trees, n, 3), labels = whole_numbers(rng, arena, n, 1, classes);
    AT(bags, 0, 0) = 0;
    same_out_of_bag_error(1e-4f, answers, bags, labels, classes);
}

ROUNDS(3, the_squared_hinge_of_random_rows)
{
    const int n = hidden_between(rng, 3, 20), d = hidden_between(rng, 1, 6);
    Matrix x = hidden_matrix(rng, arena, n, d), w = hidden_matrix(rng, arena, d, 1), y = signs(rng, arena, n);
    Matrix gradient = hidden_matrix(rng, arena, d, 1);
    same_squared_hinge(1e-4f, gradient, w, x, y, rng_between(rng, 0.2f, 2.0f));
}

ROUNDS(3, a_step_of_random_rows)
{
    const int n = hidden_between(rng, 3, 9), d = hidden_between(rng, 2, 5),
              row = hidden_between(rng, 0, n - 2);
    Matrix x = hidden_matrix(rng, arena, n, d), k = matrix_new(arena, n, n), y = signs(rng, arena, n);
    Matrix alpha = matrix_new(arena, n, 1);
    fill_uniform(alpha, rng, 0.0f, 1.0f);
    matmul_nt(k, x, x);
    same_smo_step(1e-3f, alpha, y, k, row, n - 1, 1.0f);
}

HIDDEN({"3.1", the_entropy_of_random_columns}, {"3.2", the_price_of_random_branches},
       {"3.3", the_error_of_random_forests}, {"3.4", the_squared_hinge_of_random_rows},
       {"3.5", a_step_of_random_rows})
