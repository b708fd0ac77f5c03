// 10.4-weights-added.c: adds to what d_w held.
// expect-fail: 10.4
#include "exercise.h"

void convolve_gradient(Matrix d_x, Matrix d_w, Matrix d_y, Matrix x, Matrix w, int width, int window,
                       int stride, int padding)
{
    Arena *arena = arena_new();
    Matrix rows = matrix_new(arena, d_y.rows, w.rows);
    patches(rows, x, width, window, stride, padding);
    matmul_tn_add(d_w, rows, d_y);
    matmul_nt(rows, d_y, w); // now d_rows
    fill(d_x, 0.0f);
    int high = x.rows / width + padding, place = 0;
    for (int top = -padding; top + window <= high; top += stride)
        for (int left = -padding; left + window <= width + padding; left += stride, place++)
            for (int tap = 0; tap < window * window; tap++) {
                int row = row_under(x, width, window, top, left, tap);
                for (int c = 0; c < x.cols && row >= 0; c++)
                    AT(d_x, row, c) += AT(rows, place, tap * x.cols + c);
            }
    arena_free(arena);
}
