// hidden_32.c: random inputs for the exercises of chapter 32. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

ROUNDS(6, the_scales_of_random_rows)
{
    int rows = hidden_between(rng, 2, 9), cols = hidden_between(rng, 1, 30);
    Matrix w = hidden_matrix(rng, arena, rows, cols);
    if (i % 2) fill(matrix_rows(w, 1, 1), 0.0f);
    same_quantise_rows(0.0f, hidden_matrix(rng, arena, rows, cols), hidden_matrix(rng, arena, rows, 1), w,
                       hidden_between(rng, 2, 12));
}

ROUNDS(6, a_layer_of_random_integers)
{
    int rows = hidden_between(rng, 1, 6), inputs = hidden_between(rng, 1, 200),
        outputs = hidden_between(rng, 2, 9);
    Matrix x = matrix_new(arena, rows, inputs), w = matrix_new(arena, inputs, outputs);
    for (size_t k = 0; k < matrix_size(x); k++) x.data[k] = (float)hidden_between(rng, -127, 127);
    for (size_t k = 0; k < matrix_size(w); k++) w.data[k] = (float)hidden_between(rng, -127, 127);
    Matrix scales = hidden_matrix(rng, arena, 1, outputs), bias = hidden_matrix(rng, arena, 1, outputs);
    same_integer_layer(1e-5f, hidden_matrix(rng, arena, rows, outputs), x, w, rng_between(rng, 0.01f, 0.1f),
                       scales, bias);
}

ROUNDS(6, a_depthwise_layer_of_random_images)
{
    int height = hidden_between(rng, 1, 8), width = hidden_between(rng, 1, 8),
        channels = hidden_between(rng, 1, 6);
    int side = 2 * hidden_between(rng, 0, 2) + 1;
    Matrix x = hidden_matrix(rng, arena, height * width, channels),
           w = hidden_matrix(rng, arena, side * side, channels),
           bias = hidden_matrix(rng, arena, 1, channels);
    same_depthwise(1e-4f, hidden_matrix(rng, arena, height * width, channels), x, w, bias, height, width,
                   side);
}

ROUNDS(6, the_largest_of_random_weights)
{
    int rows = hidden_between(rng, 1, 9), cols = hidden_between(rng, 1, 20);
    Matrix w = hidden_matrix(rng, arena, rows, cols);
    for (size_t k = 0; i % 2 && k < matrix_size(w); k++) w.data[k] = (float)hidden_between(rng, -3, 3);
    same_prune_smallest(0.0f, w, hidden_matrix(rng, arena, rows, cols), hidden_between(rng, 0, rows * cols));
}

ROUNDS(4, what_random_students_learn)
{
    int rows = hidden_between(rng, 1, 9), classes = hidden_between(rng, 2, 12);
    Matrix labels = matrix_new(arena, 1, rows);
    for (int n = 0; n < rows; n++) labels.data[n] = (float)hidden_between(rng, 0, classes - 1);
    Matrix student = hidden_matrix(rng, arena, rows, classes),
           teacher = hidden_matrix(rng, arena, rows, classes);
    same_distil(1e-4f, hidden_matrix(rng, arena, rows, classes), student, teacher, labels,
                rng_between(rng, 0.2f, 0.8f), rng_between(rng, 1.0f, 5.0f));
}

HIDDEN({"32.1", the_scales_of_random_rows}, {"32.2", a_layer_of_random_integers},
       {"32.3", a_depthwise_layer_of_random_images}, {"32.4", the_largest_of_random_weights},
       {"32.5", what_random_students_learn})
