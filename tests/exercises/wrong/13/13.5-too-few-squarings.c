// 13.5-too-few-squarings.c: the eighth power is not high enough.
// expect-fail: 13.5
#include "exercise.h"
#include <math.h>

float radius(Matrix a)
{
    Arena *arena = arena_new();
    Matrix power = matrix_copy(arena, a), square = matrix_new(arena, a.rows, a.rows);
    double result = 1.0;
    for (int k = 0; k <= 3 && result > 0.0; k++) {
        double size = norm(power), root = size;
        if (size > 0.0) scale(power, (float)(1.0 / size));
        for (int i = 0; i < k; i++) root = sqrt(root);
        result *= root;
        matmul(square, power, power);
        copy(power, square);
    }
    arena_free(arena);
    return (float)result;
}
