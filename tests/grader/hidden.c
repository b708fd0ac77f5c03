// hidden.c: see hidden.h.
#include "tests/grader/hidden.h"

#include <math.h>

uint64_t hidden_seed;

Rng hidden_rng(int round) { return rng_new(hidden_seed, (uint64_t)round); }

Matrix hidden_matrix(Rng *rng, Arena *arena, int rows, int cols)
{
    Matrix m = matrix_new(arena, rows, cols);
    fill_normal(m, rng, 0.0f, 1.0f);
    return m;
}

int hidden_between(Rng *rng, int low, int high)
{
    return low + (int)rng_below(rng, (uint32_t)(high - low + 1));
}

void hidden_close(float got, float expected, float tolerance)
{
    float room = tolerance * fmaxf(1e-3f, fabsf(expected));
    ck_assert_msg(fabsf(got - expected) <= room, "seed %llu: expected %.9g ± %.2g, got %.9g",
                  (unsigned long long)hidden_seed, (double)expected, (double)room, (double)got);
}

void hidden_close_matrix(Matrix got, Matrix expected, float tolerance)
{
    float size = 1e-3f;
    for (size_t i = 0; i < matrix_size(expected); i++) size = fmaxf(size, fabsf(expected.data[i]));
    for (int i = 0; i < expected.rows; i++)
        for (int j = 0; j < expected.cols; j++)
            ck_assert_msg(fabsf(AT(got, i, j) - AT(expected, i, j)) <= tolerance * size,
                          "seed %llu: element (%d, %d) of %d × %d: expected %.9g ± %.2g, got %.9g",
                          (unsigned long long)hidden_seed, i, j, expected.rows, expected.cols,
                          (double)AT(expected, i, j), (double)(tolerance * size), (double)AT(got, i, j));
}
