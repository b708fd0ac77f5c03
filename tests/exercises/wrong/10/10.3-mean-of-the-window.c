// 10.3-mean-of-the-window.c: divides by the number of taps.
// expect-fail: 10.3
#include "exercise.h"

void convolve(Matrix y, Matrix x, Matrix w, Matrix b, int width, int window, int stride, int padding)
{
    Arena *arena = arena_new();
    Matrix rows = matrix_new(arena, y.rows, w.rows);
    patches(rows, x, width, window, stride, padding);
    matmul(y, rows, w);
    scale(y, 1.0f / (float)(window * window));
    add_row(y, b);
    arena_free(arena);
}
