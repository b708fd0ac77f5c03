// exhausts_an_arena.c: a table of all pairs of ten thousand, in an arena.
// at most: 0
// expect: memory error
// says: asked for more memory than an exercise may
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    Arena *arena = arena_new();
    Matrix pairs = matrix_new(arena, 10000, 10000);
    float total = pairs.data[x.rows] + w.data[0] + y.data[0];
    arena_free(arena);
    return total;
}
