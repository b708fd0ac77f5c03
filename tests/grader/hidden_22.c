// hidden_22.c: random inputs for the exercises of chapter 22.
#include "reference.h"

ROUNDS(3, the_patches_of_random_images)
{
    const int patch = hidden_between(rng, 2, 3), down = hidden_between(rng, 1, 3),
              across = hidden_between(rng, 2, 4), channels = hidden_between(rng, 2, 3);
    Matrix patches = hidden_matrix(rng, arena, down * across, patch * patch * channels),
           image = hidden_matrix(rng, arena, down * across * patch * patch, channels);
    same_patches_of_colours(0.0f, patches, image, down * patch, across * patch, patch);
}

ROUNDS(4, the_places_in_random_windows)
{
    const int window = hidden_between(rng, 2, 4), down = hidden_between(rng, 1, 3),
              across = hidden_between(rng, 1, 3), shift = hidden_between(rng, 0, window - 1);
    Matrix places = hidden_matrix(rng, arena, down * window, across * window);
    same_places_in_windows(0.0f, places, down * window, across * window, window, shift);
}

ROUNDS(3, the_displacements_of_random_windows)
{
    const int height = hidden_between(rng, 1, 4), width = hidden_between(rng, 1, 4);
    Matrix index = hidden_matrix(rng, arena, height * width, height * width);
    same_relative_index(0.0f, index, height, width);
}

ROUNDS(4, the_pieces_of_random_grids)
{
    const int height = hidden_between(rng, 2, 7), width = hidden_between(rng, 2, 7),
              window = hidden_between(rng, 2, 4), shift = hidden_between(rng, 0, window - 1);
    Matrix may = hidden_matrix(rng, arena, height * width, height * width);
    same_may_look(0.0f, may, height, width, window, shift);
}

ROUNDS(4, the_cost_of_random_blocks)
{
    const int patch = hidden_between(rng, 2, 8), along = hidden_between(rng, 2, 6),
              features = hidden_between(rng, 8, 64), hidden = hidden_between(rng, 8, 300),
              window = hidden_between(rng, 0, 3);
    same_block_cost(1e-5f, along * patch, patch, features, hidden, window);
}

HIDDEN({"22.1", the_patches_of_random_images}, {"22.2", the_places_in_random_windows},
       {"22.3", the_displacements_of_random_windows}, {"22.4", the_pieces_of_random_grids},
       {"22.5", the_cost_of_random_blocks})
