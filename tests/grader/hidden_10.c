// hidden_10.c: random inputs for the exercises of chapter 10. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

// H·W pixels, C features, O output features; P places of the window.
typedef struct {
    int width, window, stride, padding;
    Matrix x, w, d_y; // (H·W × C), (k·k·C × O), (P × O)
} Data;

// The number of places along a side
static int along(int side, const Data *d)
{
    return reference_output_side(side, d->window, d->stride, d->padding);
}

static Data draw(Rng *rng, Arena *arena, int most_padding)
{
    Data d = {.width = hidden_between(rng, 4, 8)};
    d.window = hidden_between(rng, 2, 3);
    d.stride = hidden_between(rng, 1, 2);
    d.padding = hidden_between(rng, 0, most_padding);
    int height = hidden_between(rng, 4, 8), channels = hidden_between(rng, 1, 3),
        outputs = hidden_between(rng, 2, 4);
    d.x = hidden_matrix(rng, arena, height * d.width, channels);
    d.w = hidden_matrix(rng, arena, d.window * d.window * channels, outputs);
    d.d_y = hidden_matrix(rng, arena, along(height, &d) * along(d.width, &d), outputs);
    return d;
}

ROUNDS(3, the_places_along_random_sides)
{
    int window = hidden_between(rng, 1, 7), side = window + hidden_between(rng, 0, 40);
    int stride = hidden_between(rng, 1, 5), padding = hidden_between(rng, 0, 4);
    same_output_side(0.0f, side, window, stride, padding);
}

ROUNDS(3, the_patches_of_random_pictures)
{
    Data d = draw(rng, arena, 2);
    same_patches(1e-6f, hidden_matrix(rng, arena, d.d_y.rows, d.w.rows), d.x, d.width, d.window, d.stride,
                 d.padding);
}

ROUNDS(3, random_convolutions)
{
    Data d = draw(rng, arena, 2);
    same_convolve(1e-4f, d.d_y, d.x, d.w, hidden_matrix(rng, arena, 1, d.w.cols), d.width, d.window, d.stride,
                  d.padding);
}

ROUNDS(3, the_gradients_of_random_convolutions)
{
    Data d = draw(rng, arena, 2);
    same_convolve_gradient(1e-4f, matrix_copy(arena, d.x), matrix_copy(arena, d.w), d.d_y, d.x, d.w, d.width,
                           d.window, d.stride, d.padding);
}

ROUNDS(3, the_winners_of_random_pictures)
{
    Data d = draw(rng, arena, 0);
    Matrix d_y = hidden_matrix(rng, arena, d.d_y.rows, d.x.cols);
    same_pool_gradient(1e-4f, matrix_copy(arena, d.x), d_y, d.x, d.width, d.window, d.stride);
}

HIDDEN({"10.1", the_places_along_random_sides}, {"10.2", the_patches_of_random_pictures},
       {"10.3", random_convolutions}, {"10.4", the_gradients_of_random_convolutions},
       {"10.5", the_winners_of_random_pictures})
