// 20.5-not-normalised-before-the-second.c: the second half sees x as it is.
// expect-fail: 20.5
#include "exercise.h"

#include <math.h>

void decoder_block(Matrix x, Matrix qkv, Matrix out, Matrix up, Matrix down, int heads)
{
    Arena *arena = arena_new();
    int t = x.rows, c = x.cols, width = c / heads;
    Matrix normal = matrix_new(arena, t, c), mixed = matrix_new(arena, t, 3 * c),
           heard = matrix_new(arena, t, c);
    Matrix hidden = matrix_new(arena, t, up.cols);
    normalise(normal, x);
    matmul(mixed, normal, qkv);
    for (int i = 0; i < t; i++)
        for (int h = 0; h < heads; h++) attend(heard, mixed, i, h * width, width);
    matmul_add(x, heard, out);
    matmul(hidden, x, up);
    for (size_t i = 0; i < matrix_size(hidden); i++) hidden.data[i] = fmaxf(0.0f, hidden.data[i]);
    matmul_add(x, hidden, down);
    arena_free(arena);
}
