// 13.5-powers-not-scaled.c: overflows, and vanishes.
// expect-fail: 13.5
#include "exercise.h"
#include <math.h>

float radius(Matrix a)
{
    Arena *arena = arena_new();
    Matrix power = matrix_copy(arena, a), square = matrix_new(arena, a.rows, a.rows);
    for (int k = 0; k < 10; k++) {
        matmul(square, power, power);
        copy(power, square);
    }
    double root = norm(power);
    for (int k = 0; k < 10; k++) root = sqrt(root);
    arena_free(arena);
    return (float)root;
}
