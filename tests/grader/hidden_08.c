// hidden_08.c: random inputs for the exercises of chapter 8.
#include "reference.h"

ROUNDS(3, the_likeness_of_random_images)
{
    const int rows = hidden_between(rng, 2, 9), cols = hidden_between(rng, 1, 4);
    Matrix a = hidden_matrix(rng, arena, rows, cols), b = hidden_matrix(rng, arena, rows, cols);
    same_peak_ratio(1e-3f, a, b, rng_between(rng, 1.5f, 300.0f));
}

ROUNDS(3, the_octaves_of_random_places)
{
    const int rows = hidden_between(rng, 1, 6), cols = hidden_between(rng, 2, 4),
              octaves = hidden_between(rng, 2, 5);
    Matrix out = hidden_matrix(rng, arena, rows, 2 * cols * octaves),
           x = hidden_matrix(rng, arena, rows, cols);
    same_octave_features(1e-3f, out, x, octaves);
}

ROUNDS(4, the_colours_of_random_places)
{
    const int height = hidden_between(rng, 2, 6), width = hidden_between(rng, 2, 6),
              colours = hidden_between(rng, 1, 3);
    Matrix colour = hidden_matrix(rng, arena, 1, colours),
           image = hidden_matrix(rng, arena, height * width, colours);
    const float down = rng_between(rng, -1.0f, (float)height), across = rng_between(rng, -1.0f, (float)width);
    same_bilinear_colour(1e-4f, colour, image, height, width, down, across);
}

// Corners around the origin, in order
ROUNDS(4, the_distance_from_random_polygons)
{
    const int corners = hidden_between(rng, 3, 9);
    Matrix shape = matrix_new(arena, corners, 2);
    for (int k = 0; k < corners; k++) {
        const float angle = 6.2831853f * ((float)k + rng_between(rng, 0.0f, 0.6f)) / (float)corners;
        const float length = rng_between(rng, 0.5f, 2.0f);
        AT(shape, k, 0) = length * cosf(angle);
        AT(shape, k, 1) = length * sinf(angle);
    }
    const float x = rng_between(rng, -2.0f, 2.0f), y = rng_between(rng, -2.0f, 2.0f);
    same_polygon_distance(1e-4f, shape, x, y);
}

HIDDEN({"8.1", the_likeness_of_random_images}, {"8.2", the_octaves_of_random_places},
       {"8.3", the_colours_of_random_places}, {"8.4", the_distance_from_random_polygons})
