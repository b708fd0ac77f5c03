// hidden_04.c: random inputs for the exercises of chapter 4.
#include "reference.h"

ROUNDS(3, a_step_of_a_random_stream)
{
    const int k = hidden_between(rng, 2, 6), d = hidden_between(rng, 1, 5);
    Matrix centres = hidden_matrix(rng, arena, k, d), counts = matrix_new(arena, k, 1);
    for (int c = 0; c < k; c++) counts.data[c] = (float)hidden_between(rng, 0, 9);
    same_stream_step(1e-4f, centres, counts, hidden_matrix(rng, arena, 1, d));
}

ROUNDS(3, the_probabilities_of_random_examples)
{
    const int n = hidden_between(rng, 2, 30), d = hidden_between(rng, 1, 5), k = hidden_between(rng, 2, 6);
    Matrix x = hidden_matrix(rng, arena, n, d), centres = hidden_matrix(rng, arena, k, d);
    same_next_centre_probabilities(1e-4f, matrix_new(arena, n, 1), x, centres);
}

// A reflection, whose rows are perpendicular unit vectors, gives the components.
ROUNDS(3, a_step_beside_random_components)
{
    const int n = hidden_between(rng, 3, 8), m = hidden_between(rng, 1, 2);
    Matrix a = hidden_matrix(rng, arena, n, n), u = hidden_matrix(rng, arena, 1, n);
    Matrix c = matrix_new(arena, n, n), reflection = matrix_new(arena, n, n);
    matmul_tn(c, a, a);
    for (int row = 0; row < n; row++)
        for (int j = 0; j < n; j++)
            AT(reflection, row, j) =
                (row == j ? 1.0f : 0.0f) - 2.0f * u.data[row] * u.data[j] / (float)sum_of_squares(u);
    same_deflated_step(1e-3f, hidden_matrix(rng, arena, 1, n), c, matrix_rows(reflection, 0, m));
}

// All parts of a candidate among other sets; in two of three rounds one part loses an item
ROUNDS(6, a_random_candidate)
{
    const int items = hidden_between(rng, 4, 9), parts = hidden_between(rng, 2, 4);
    Matrix candidate = matrix_new(arena, 1, items), frequent = matrix_new(arena, parts + 2, items);
    int order[9];
    rng_permutation(rng, order, items);
    for (int k = 0; k < parts; k++) candidate.data[order[k]] = 1.0f;
    for (int k = 0; k < parts; k++) {
        copy(matrix_rows(frequent, k, 1), candidate);
        AT(frequent, k, order[k]) = 0.0f;
    }
    AT(frequent, parts, order[parts - 1]) = 1.0f;
    copy(matrix_rows(frequent, parts + 1, 1), candidate);
    const int damaged = hidden_between(rng, 0, parts - 1);
    if (i % 3) AT(frequent, damaged, order[(damaged + 1) % parts]) = 0.0f;
    same_candidate_survives(0.0f, candidate, frequent);
}

ROUNDS(3, the_medians_of_a_random_series)
{
    const int n = hidden_between(rng, 5, 40), window = hidden_between(rng, 2, 8);
    same_running_median(1e-5f, matrix_new(arena, n, 1), hidden_matrix(rng, arena, n, 1), window);
}

HIDDEN({"4.1", a_step_of_a_random_stream}, {"4.2", the_probabilities_of_random_examples},
       {"4.3", a_step_beside_random_components}, {"4.4", a_random_candidate},
       {"4.5", the_medians_of_a_random_series})
