// hidden_11.c: random inputs for the exercises of chapter 11. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

typedef struct {
    Matrix x, y, d_y;              // (N × C); y is rubbish
    Matrix gain, bias, row, other; // (1 × C); the last two are rubbish
} Data;

static Data draw(Rng *rng, Arena *arena)
{
    int n = hidden_between(rng, 3, 12), c = hidden_between(rng, 2, 5);
    Data data = {.x = hidden_matrix(rng, arena, n, c)};
    data.y = hidden_matrix(rng, arena, n, c);
    data.d_y = hidden_matrix(rng, arena, n, c);
    data.gain = hidden_matrix(rng, arena, 1, c);
    data.bias = hidden_matrix(rng, arena, 1, c);
    data.row = hidden_matrix(rng, arena, 1, c);
    data.other = hidden_matrix(rng, arena, 1, c);
    return data;
}

ROUNDS(3, random_layers_folded)
{
    Data data = draw(rng, arena);
    Matrix mean = hidden_matrix(rng, arena, 1, data.x.cols), variance = matrix_new(arena, 1, data.x.cols);
    fill_uniform(variance, rng, 0.1f, 3.0f);
    same_fold_norm(1e-3f, data.x, data.row, mean, variance, data.gain, data.bias);
}

ROUNDS(3, the_derivative_at_random_columns)
{
    Data data = draw(rng, arena);
    same_normalise_channels_gradient(1e-3f, data.y, data.row, data.other, data.d_y, data.x, data.gain);
}

ROUNDS(3, random_batches_followed)
{
    Data data = draw(rng, arena);
    same_follow_batch(1e-3f, data.row, data.other, data.x, rng_uniform(rng));
}

ROUNDS(3, random_channels_dropped)
{
    int images = hidden_between(rng, 2, 4), pixels = hidden_between(rng, 2, 6), c = hidden_between(rng, 2, 5);
    Matrix x = hidden_matrix(rng, arena, images * pixels, c), uniform = matrix_new(arena, images, c);
    fill_uniform(uniform, rng, 0.0f, 1.0f);
    same_drop_channels(1e-5f, x, uniform, 0.9f * rng_uniform(rng));
}

ROUNDS(6, random_images_moved)
{
    Data data = draw(rng, arena);
    int dy = hidden_between(rng, -2, 2), dx = hidden_between(rng, -2, 2);
    same_move_image(0.0f, data.y, data.x, dy, dx, i % 2, 0.25f);
}

HIDDEN({"11.1", random_layers_folded}, {"11.2", the_derivative_at_random_columns},
       {"11.3", random_batches_followed}, {"11.4", random_channels_dropped}, {"11.5", random_images_moved})
