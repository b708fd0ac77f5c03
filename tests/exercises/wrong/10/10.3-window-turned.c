// 10.3-window-turned.c: the convolution of signal processing: the window is turned around.
// expect-fail: 10.3
#include "exercise.h"

void convolve(Matrix y, Matrix x, Matrix w, Matrix b, int width, int window, int stride, int padding)
{
    Arena *arena = arena_new();
    Matrix rows = matrix_new(arena, y.rows, w.rows);
    patches(rows, x, width, window, stride, padding);
    Matrix turned = matrix_new(arena, w.rows, w.cols);
    for (int k = 0; k < w.rows; k++) {
        int tap = k / x.cols, c = k % x.cols;
        for (int o = 0; o < w.cols; o++)
            AT(turned, k, o) = AT(w, (window * window - 1 - tap) * x.cols + c, o);
    }
    matmul(y, rows, turned);
    add_row(y, b);
    arena_free(arena);
}
