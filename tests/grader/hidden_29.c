// hidden_29.c: random inputs for the exercises of chapter 29. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

// Runs of one to five tokens by the same writer.
ROUNDS(4, the_labels_of_random_conversations)
{
    int n = hidden_between(rng, 20, 60), who = TEMPLATE;
    Matrix ids = matrix_new(arena, 1, n), writer = matrix_new(arena, 1, n);
    for (int t = 0; t < n; t++) {
        if (hidden_between(rng, 0, 2) == 0) who = hidden_between(rng, SYSTEM, TEMPLATE);
        ids.data[t] = (float)hidden_between(rng, 0, 50000);
        writer.data[t] = (float)who;
    }
    same_answer_labels(0.0f, hidden_matrix(rng, arena, 1, n), ids, writer);
}

ROUNDS(4, the_way_through_random_adapters)
{
    int rows = hidden_between(rng, 1, 6), inputs = hidden_between(rng, 2, 30);
    int outputs = hidden_between(rng, 2, 30), rank = hidden_between(rng, 1, 6);
    Matrix x = hidden_matrix(rng, arena, rows, inputs), w = hidden_matrix(rng, arena, inputs, outputs);
    Matrix bias = hidden_matrix(rng, arena, 1, outputs), a = hidden_matrix(rng, arena, inputs, rank);
    Matrix b = hidden_matrix(rng, arena, rank, outputs), y = hidden_matrix(rng, arena, rows, outputs);
    same_lora_forward(1e-4f, y, hidden_matrix(rng, arena, rows, rank), x, w, bias, a, b, 0.25f + (float)i);
}

// low is made as lora_forward makes it.
ROUNDS(4, the_way_back_through_random_adapters)
{
    int rows = hidden_between(rng, 1, 6), inputs = hidden_between(rng, 2, 30);
    int outputs = hidden_between(rng, 2, 30), rank = hidden_between(rng, 1, 6);
    Matrix x = hidden_matrix(rng, arena, rows, inputs), w = hidden_matrix(rng, arena, inputs, outputs);
    Matrix a = hidden_matrix(rng, arena, inputs, rank), b = hidden_matrix(rng, arena, rank, outputs);
    Matrix d_a = hidden_matrix(rng, arena, inputs, rank), d_b = hidden_matrix(rng, arena, rank, outputs);
    Matrix d_x = hidden_matrix(rng, arena, rows, inputs), d_y = hidden_matrix(rng, arena, rows, outputs);
    Matrix low = matrix_new(arena, rows, rank);
    matmul(low, x, a);
    same_lora_backward(1e-4f, d_x, d_a, d_b, d_y, x, low, w, a, b, 0.25f + (float)i);
}

ROUNDS(4, the_merges_of_random_adapters)
{
    int inputs = hidden_between(rng, 2, 30), outputs = hidden_between(rng, 2, 30);
    int rank = hidden_between(rng, 1, 6);
    Matrix w = hidden_matrix(rng, arena, inputs, outputs), a = hidden_matrix(rng, arena, inputs, rank);
    same_lora_merge(1e-4f, w, a, hidden_matrix(rng, arena, rank, outputs), 0.25f + (float)i);
}

// The contexts hold between a quarter and all of the tokens.
ROUNDS(12, the_contexts_of_random_conversations)
{
    int n = hidden_between(rng, 6, 25), system = hidden_between(rng, 0, 2), total = 0;
    Matrix tokens = matrix_new(arena, 1, n), roles = matrix_new(arena, 1, n);
    for (int m = 0; m < n; m++) {
        tokens.data[m] = (float)hidden_between(rng, 1, 200);
        roles.data[m] = (float)(m < system ? SYSTEM : hidden_between(rng, USER, ASSISTANT));
        total += (int)tokens.data[m];
    }
    roles.data[system] = roles.data[n - 1] = (float)USER;
    int room = hidden_between(rng, 0, 100), context = room + hidden_between(rng, total / 4, total);
    same_messages_to_keep(0.0f, hidden_matrix(rng, arena, 1, n), tokens, roles, context, room);
}

HIDDEN({"29.1", the_labels_of_random_conversations}, {"29.2", the_way_through_random_adapters},
       {"29.3", the_way_back_through_random_adapters}, {"29.4", the_merges_of_random_adapters},
       {"29.5", the_contexts_of_random_conversations})
