// hidden_28.c: random inputs for the exercises of chapter 28. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

ROUNDS(4, the_numbers_of_random_bytes)
{
    int n = hidden_between(rng, 4, 40);
    Matrix bytes = matrix_new(arena, 1, 2 * n);
    for (int k = 0; k < n; k++) {
        bytes.data[2 * k] = (float)hidden_between(rng, 0, 255);
        bytes.data[2 * k + 1] = (float)(128 * hidden_between(rng, 0, 1) + hidden_between(rng, 55, 68));
    }
    same_bf16_to_floats(0.0f, hidden_matrix(rng, arena, 1, n), bytes);
}

// Every third time the file is a number too long.
ROUNDS(12, the_places_of_random_numbers)
{
    int rows = hidden_between(rng, 2, 200), cols = hidden_between(rng, 2, 200);
    int header = hidden_between(rng, 50, 5000), begin = hidden_between(rng, 0, 90000);
    int width = 2 + 2 * (i % 2), end = begin + (rows * cols + (i % 3 == 2)) * width;
    int row = hidden_between(rng, 0, rows - 1), col = hidden_between(rng, 0, cols - 1);
    same_byte_of_number(0.0f, header, begin, end, rows, cols, width, row, col);
    same_byte_of_number(0.0f, header, begin, end, rows, cols, width, row, cols + col);
}

ROUNDS(4, the_norms_of_random_rows)
{
    int rows = hidden_between(rng, 2, 6), cols = hidden_between(rng, 3, 40);
    Matrix x = hidden_matrix(rng, arena, rows, cols), gain = hidden_matrix(rng, arena, 1, cols);
    float epsilon = rng_between(rng, 0.01f, 0.5f);
    same_rms_norm_rows(1e-4f, x, gain, epsilon);
}

ROUNDS(4, the_rotations_of_random_heads)
{
    int heads = hidden_between(rng, 1, 4), half = hidden_between(rng, 1, 8);
    int first = hidden_between(rng, 0, 200);
    Matrix x = hidden_matrix(rng, arena, hidden_between(rng, 2, 6), 2 * half * heads);
    float base = rng_between(rng, 100.0f, 20000.0f);
    same_rotate_heads(1e-3f, x, heads, first, base);
}

ROUNDS(4, the_looks_back_at_random_caches)
{
    int key_heads = hidden_between(rng, 1, 3), heads = key_heads * hidden_between(rng, 1, 4);
    int width = hidden_between(rng, 2, 12), count = hidden_between(rng, 3, 20), rows = count + i % 2;
    Matrix q = hidden_matrix(rng, arena, 1, heads * width), out = hidden_matrix(rng, arena, 1, heads * width);
    Matrix keys = hidden_matrix(rng, arena, rows, key_heads * width);
    Matrix values = hidden_matrix(rng, arena, rows, key_heads * width);
    same_attend_to_cache(1e-4f, out, q, keys, values, count, heads, key_heads);
}

HIDDEN({"28.1", the_numbers_of_random_bytes}, {"28.2", the_places_of_random_numbers},
       {"28.3", the_norms_of_random_rows}, {"28.4", the_rotations_of_random_heads},
       {"28.5", the_looks_back_at_random_caches})
