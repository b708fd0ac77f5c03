// hidden_15.c: random inputs for the exercises of chapter 15. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix w, s;         // (N × N)
    Matrix x, out, more; // (N × C)
} Problem;

static Problem draw(Rng *rng, Arena *arena)
{
    int nodes = hidden_between(rng, 3, 12), columns = hidden_between(rng, 2, 6);
    Problem p = {.w = hidden_matrix(rng, arena, nodes, nodes)};
    for (size_t i = 0; i < matrix_size(p.w); i++) p.w.data[i] = p.w.data[i] > 0.4f ? p.w.data[i] : 0.0f;
    p.s = hidden_matrix(rng, arena, nodes, nodes);
    p.x = hidden_matrix(rng, arena, nodes, columns);
    p.out = hidden_matrix(rng, arena, nodes, columns);
    p.more = hidden_matrix(rng, arena, nodes, columns);
    return p;
}

ROUNDS(3, random_means)
{
    Problem p = draw(rng, arena);
    same_neighbour_mean(1e-3f, p.out, p.w, p.x);
}

ROUNDS(3, random_labels)
{
    Problem p = draw(rng, arena);
    fill(p.x, 0.0f);
    for (int node = hidden_between(rng, 0, 1); node < p.x.rows; node += 2)
        AT(p.x, node, hidden_between(rng, 0, p.x.cols - 1)) = 1.0f;
    same_spread_labels(1e-3f, p.out, p.w, p.x, hidden_between(rng, 2, 6));
}

ROUNDS(3, random_maxima)
{
    Problem p = draw(rng, arena);
    same_neighbour_maximum(1e-3f, p.out, p.more, p.w, p.x);
}

ROUNDS(3, random_gradients)
{
    Problem p = draw(rng, arena);
    Matrix largest_of_all = matrix_copy(arena, p.out);
    reference_neighbour_maximum(largest_of_all, p.more, p.w, p.x);
    same_neighbour_maximum_gradient(1e-3f, p.out, p.x, p.more);
}

ROUNDS(3, random_attention)
{
    Problem p = draw(rng, arena);
    same_graph_attention(1e-3f, p.out, p.w, p.s, p.x);
}

HIDDEN({"15.1", random_means}, {"15.2", random_labels}, {"15.3", random_maxima}, {"15.4", random_gradients},
       {"15.5", random_attention})
