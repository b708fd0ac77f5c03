// hidden_27.c: random inputs for the exercises of chapter 27.
#include "reference.h"

ROUNDS(3, the_gram_matrix_of_random_features)
{
    const int rows = hidden_between(rng, 2, 20), cols = hidden_between(rng, 2, 6);
    Matrix gram = hidden_matrix(rng, arena, cols, cols), features = hidden_matrix(rng, arena, rows, cols);
    same_feature_gram(1e-4f, gram, features);
}

ROUNDS(3, the_slope_of_random_features)
{
    const int rows = hidden_between(rng, 2, 20), cols = hidden_between(rng, 2, 6);
    Matrix d_features = hidden_matrix(rng, arena, rows, cols), d_gram = hidden_matrix(rng, arena, cols, cols),
           features = hidden_matrix(rng, arena, rows, cols);
    same_gram_slope(1e-4f, d_features, d_gram, features);
}

// One column in three rounds has equal elements.
ROUNDS(3, random_filters)
{
    const int rows = hidden_between(rng, 2, 25), cols = hidden_between(rng, 2, 6);
    Matrix weight = hidden_matrix(rng, arena, rows, cols);
    add_scalar(weight, 0.7f);
    if (i == 2)
        for (int t = 0; t < rows; t++) AT(weight, t, 1) = 0.25f;
    same_blind_to_brightness(1e-4f, weight);
}

ROUNDS(3, the_luminance_of_random_colours)
{
    const int rows = hidden_between(rng, 2, 9);
    Matrix out = hidden_matrix(rng, arena, rows, 3), rgb = matrix_new(arena, rows, 3),
           y = matrix_new(arena, rows, 1);
    fill_uniform(rgb, rng, 0.0f, 1.0f);
    fill_uniform(y, rng, 0.0f, 1.0f);
    same_with_luminance(1e-4f, out, rgb, y);
}

// Few values, so that neighbours are often equal
ROUNDS(4, the_patterns_of_random_images)
{
    const int height = hidden_between(rng, 3, 8), width = hidden_between(rng, 3, 8);
    Matrix frequencies = hidden_matrix(rng, arena, 1, 256), image = matrix_new(arena, height * width, 1);
    for (int p = 0; p < height * width; p++) image.data[p] = 0.25f * (float)hidden_between(rng, 0, 4);
    same_local_patterns(1e-4f, frequencies, image, height, width);
}

HIDDEN({"27.1", the_gram_matrix_of_random_features}, {"27.2", the_slope_of_random_features},
       {"27.3", random_filters}, {"27.4", the_luminance_of_random_colours},
       {"27.5", the_patterns_of_random_images})
