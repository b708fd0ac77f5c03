// hidden_06.c: random inputs for the exercises of chapter 6. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix w1, b1, w2, b2; // (D × H), (1 × H), (H × K), (1 × K)
} Network;

// N examples, D inputs, H hidden units, K classes
typedef struct {
    int n, d, h, k;
    Matrix x, labels; // (N × D), (N × 1)
} Data;

static Data draw(Rng *rng, Arena *arena)
{
    Data data = {.n = hidden_between(rng, 4, 12)};
    data.d = hidden_between(rng, 2, 6);
    data.h = hidden_between(rng, 3, 9);
    data.k = hidden_between(rng, 2, 5);
    data.x = hidden_matrix(rng, arena, data.n, data.d);
    data.labels = matrix_new(arena, data.n, 1);
    for (int i = 0; i < data.n; i++) data.labels.data[i] = (float)hidden_between(rng, 0, data.k - 1);
    return data;
}

static Network draw_network(Rng *rng, Arena *arena, Data data)
{
    Network network = {.w1 = hidden_matrix(rng, arena, data.d, data.h)};
    network.b1 = hidden_matrix(rng, arena, 1, data.h);
    network.w2 = hidden_matrix(rng, arena, data.h, data.k);
    network.b2 = hidden_matrix(rng, arena, 1, data.k);
    return network;
}

ROUNDS(3, the_hidden_layer_of_random_inputs)
{
    Data data = draw(rng, arena);
    Network network = draw_network(rng, arena, data);
    same_mlp_hidden(1e-4f, hidden_matrix(rng, arena, data.n, data.h), data.x, network.w1, network.b1);
}

ROUNDS(3, the_output_gradient_of_random_scores)
{
    Data data = draw(rng, arena);
    Matrix z = hidden_matrix(rng, arena, data.n, data.k);
    same_mlp_output_gradient(1e-4f, hidden_matrix(rng, arena, data.n, data.k), z, data.labels);
}

ROUNDS(3, the_hidden_gradient_of_random_errors)
{
    Data data = draw(rng, arena);
    Network network = draw_network(rng, arena, data);
    Matrix d_z = hidden_matrix(rng, arena, data.n, data.k), h = hidden_matrix(rng, arena, data.n, data.h);
    for (size_t j = 0; j < matrix_size(h); j++) h.data[j] = h.data[j] > 0.0f ? h.data[j] : 0.0f;
    same_mlp_hidden_gradient(1e-4f, hidden_matrix(rng, arena, data.n, data.h), d_z, network.w2, h);
}

ROUNDS(3, the_gradients_of_random_networks)
{
    Data data = draw(rng, arena);
    Network network = draw_network(rng, arena, data), d = draw_network(rng, arena, data);
    same_mlp_gradients(1e-3f, d.w1, d.b1, d.w2, d.b2, data.x, data.labels, network.w1, network.b1, network.w2,
                       network.b2);
}

ROUNDS(3, a_few_steps_of_random_networks)
{
    Data data = draw(rng, arena);
    Network network = draw_network(rng, arena, data);
    float rate = rng_between(rng, 0.05f, 0.2f);
    same_mlp_train(1e-3f, network.w1, network.b1, network.w2, network.b2, data.x, data.labels, rate,
                   hidden_between(rng, 2, 5));
}

HIDDEN({"6.1", the_hidden_layer_of_random_inputs}, {"6.2", the_output_gradient_of_random_scores},
       {"6.3", the_hidden_gradient_of_random_errors}, {"6.4", the_gradients_of_random_networks},
       {"6.5", a_few_steps_of_random_networks})
