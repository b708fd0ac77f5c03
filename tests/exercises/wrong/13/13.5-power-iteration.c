// 13.5-power-iteration.c: how much a vector grows in the last step; it never settles for a pair.
// expect-fail: 13.5
#include "exercise.h"

float radius(Matrix a)
{
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, a.rows, 1), next = matrix_new(arena, a.rows, 1);
    for (int i = 0; i < a.rows; i++) x.data[i] = 1.0f + 0.3f * (float)i;
    double size = 0.0;
    for (int k = 0; k < 500; k++) {
        size = norm(x);
        if (size == 0.0) break;
        scale(x, (float)(1.0 / size));
        matmul(next, a, x);
        copy(x, next);
        size = norm(x);
    }
    arena_free(arena);
    return (float)size;
}
