// 20.5-no-bend.c: no bend.
// expect-fail: 20.5
#include "exercise.h"

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
    normalise(normal, x);
    matmul(hidden, normal, up);
    matmul_add(x, hidden, down);
    arena_free(arena);
}
