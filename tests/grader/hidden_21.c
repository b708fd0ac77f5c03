// hidden_21.c: random inputs for the exercises of chapter 21. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

ROUNDS(4, random_decoders)
{
    int key_heads = hidden_between(rng, 1, 4), heads = key_heads * hidden_between(rng, 2, 4);
    int width = heads * hidden_between(rng, 2, 40), layers = hidden_between(rng, 2, 20);
    int hidden = hidden_between(rng, 10, 900), vocabulary = hidden_between(rng, 50, 5000);
    same_decoder_parameters(1e-6f, layers, width, heads, key_heads, hidden, vocabulary);
}

ROUNDS(4, random_windows)
{
    int layers = hidden_between(rng, 2, 20), width = hidden_between(rng, 8, 90);
    int vocabulary = hidden_between(rng, 50, 500), time = hidden_between(rng, 20, 90);
    same_training_flop(1e-6f, layers, width, vocabulary, time, hidden_between(rng, 3, 60));
}

// Sizes that grow, and losses that fall to a floor, not quite evenly
static void draw_points(Rng *rng, Arena *arena, Matrix *n, Matrix *loss, Matrix *weights)
{
    int count = hidden_between(rng, 5, 12);
    *n = matrix_new(arena, 1, count);
    *loss = matrix_new(arena, 1, count);
    *weights = matrix_new(arena, 1, count);
    for (int i = 0; i < count; i++) {
        n->data[i] = (float)(hidden_between(rng, 2000, 3000) << i);
        loss->data[i] = 1.5f + 1.0f / (float)(i + 1) + 0.02f * rng_normal(rng);
        weights->data[i] = (float)hidden_between(rng, 1, 6);
    }
}

ROUNDS(4, random_laws)
{
    Matrix n, loss, weights;
    draw_points(rng, arena, &n, &loss, &weights);
    Matrix line = hidden_matrix(rng, arena, 1, 2);
    float exponent = 0.3f + 0.3f * rng_uniform(rng);
    same_fit_floor(1e-3f, line, n, loss, weights, exponent);
}

ROUNDS(4, random_parabolas)
{
    Matrix n, loss, weights;
    draw_points(rng, arena, &n, &loss, &weights);
    float middle = 0.3f * (float)n.cols + 0.4f * (float)n.cols * rng_uniform(rng);
    for (int k = 0; k < n.cols; k++) loss.data[k] += 0.3f * ((float)k - middle) * ((float)k - middle);
    same_isoflop_best(1e-3f, n, loss);
}

ROUNDS(4, random_purposes)
{
    Matrix surface = matrix_new(arena, 1, 5);
    for (int k = 0; k < 5; k++) {
        float u = rng_uniform(rng);
        surface.data[k] = k == 0 ? 1.0f + u : k % 2 ? 50.0f + 200.0f * u : 0.3f + 0.2f * u;
    }
    float target = surface.data[0] + 0.3f + 0.5f * rng_uniform(rng);
    same_cheapest_size(0.012f, surface, target, 1e9f * rng_uniform(rng));
}

HIDDEN({"21.1", random_decoders}, {"21.2", random_windows}, {"21.3", random_laws}, {"21.4", random_parabolas},
       {"21.5", random_purposes})
