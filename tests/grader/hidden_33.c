// hidden_33.c: random inputs for the exercises of chapter 33. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

ROUNDS(6, the_weights_of_random_graphs)
{
    int n = hidden_between(rng, 3, 20);
    Matrix edges = matrix_new(arena, n, n);
    for (int a = 0; a < n; a++) {
        AT(edges, a, a) = (float)hidden_between(rng, 0, 1);
        for (int b = 0; b < a; b++) AT(edges, a, b) = AT(edges, b, a) = (float)hidden_between(rng, 0, 1);
    }
    same_metropolis_weights(1e-4f, hidden_matrix(rng, arena, n, n), edges);
}

ROUNDS(5, a_step_of_random_machines)
{
    int n = hidden_between(rng, 2, 9), d = hidden_between(rng, 2, 6);
    Matrix x = hidden_matrix(rng, arena, n, d), y = hidden_matrix(rng, arena, n, d);
    Matrix weights = hidden_matrix(rng, arena, n, n), hessians = hidden_matrix(rng, arena, n * d, d);
    for (int m = 0; m < n; m++)
        for (int a = 0; a < d; a++)
            for (int b = 0; b < a; b++) AT(hessians, m * d + b, a) = AT(hessians, m * d + a, b);
    Matrix x_new = hidden_matrix(rng, arena, n, d);
    same_tracking_step(1e-4f, x_new, hidden_matrix(rng, arena, n, d), x, y, weights, hessians, 0.2f);
}

ROUNDS(8, a_round_of_a_random_ring)
{
    int p = hidden_between(rng, 3, 40), round = hidden_between(rng, 0, p - 2);
    if (i % 2) round += p - 1;
    same_ring_round(0.0f, hidden_matrix(rng, arena, p, 3), round);
}

ROUNDS(6, a_sum_of_random_parts)
{
    int k = hidden_between(rng, 3, 70), n = hidden_between(rng, 20, 60);
    Matrix parts = hidden_matrix(rng, arena, k, n);
    same_tree_sum(0.0f, hidden_matrix(rng, arena, 1, n), parts);
}

ROUNDS(6, the_time_among_random_processes)
{
    int processes = 1 << hidden_between(rng, 2, 11), bytes = 100 * hidden_between(rng, 1, 100000);
    float latency = 1e-6f * (float)hidden_between(rng, 1, 100);
    Matrix times = hidden_matrix(rng, arena, 1, 3);
    same_all_reduce_times(1e-4f, times, processes, (float)bytes, latency, 1e9f);
}

HIDDEN({"33.1", the_weights_of_random_graphs}, {"33.2", a_step_of_random_machines},
       {"33.3", a_round_of_a_random_ring}, {"33.4", a_sum_of_random_parts},
       {"33.5", the_time_among_random_processes})
