// Reference answers to the exercises of chapter 10. Look when you have tried.
#include "exercise.h"

// TASK 10.1: the first place, and one more for each stride that still fits
int output_side(int side, int window, int stride, int padding)
{
    return (side + 2 * padding - window) / stride + 1;
}

// The row of x under a tap of the window whose upper left corner stands at (top, left), or −1 beyond the edge
static int row_under(Matrix x, int width, int window, int top, int left, int tap)
{
    int i = top + tap / window, j = left + tap % window;
    return i >= 0 && i < x.rows / width && j >= 0 && j < width ? i * width + j : -1;
}

// TASK 10.2
void patches(Matrix rows, Matrix x, int width, int window, int stride, int padding)
{
    int high = x.rows / width + padding, place = 0;
    for (int top = -padding; top + window <= high; top += stride)
        for (int left = -padding; left + window <= width + padding; left += stride, place++)
            for (int tap = 0; tap < window * window; tap++) {
                int row = row_under(x, width, window, top, left, tap);
                for (int c = 0; c < x.cols; c++)
                    AT(rows, place, tap * x.cols + c) = row < 0 ? 0.0f : AT(x, row, c);
            }
}

// TASK 10.3: with patches as rows it is the linear layer
void convolve(Matrix y, Matrix x, Matrix w, Matrix b, int width, int window, int stride, int padding)
{
    Arena *arena = arena_new();
    Matrix rows = matrix_new(arena, y.rows, w.rows);
    patches(rows, x, width, window, stride, padding);
    matmul(y, rows, w);
    add_row(y, b);
    arena_free(arena);
}

// TASK 10.4: the gradient of the linear layer; that of each patch goes back to the pixels that it was copied from
void convolve_gradient(Matrix d_x, Matrix d_w, Matrix d_y, Matrix x, Matrix w, int width, int window,
                       int stride, int padding)
{
    Arena *arena = arena_new();
    Matrix rows = matrix_new(arena, d_y.rows, w.rows);
    patches(rows, x, width, window, stride, padding);
    matmul_tn(d_w, rows, d_y);
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

// TASK 10.5
void pool_gradient(Matrix d_x, Matrix d_y, Matrix x, int width, int window, int stride)
{
    int place = 0;
    fill(d_x, 0.0f);
    for (int top = 0; top + window <= x.rows / width; top += stride)
        for (int left = 0; left + window <= width; left += stride, place++)
            for (int c = 0; c < x.cols; c++) {
                int best = top * width + left;
                for (int tap = 1; tap < window * window; tap++) {
                    int row = row_under(x, width, window, top, left, tap);
                    if (AT(x, row, c) > AT(x, best, c)) best = row;
                }
                AT(d_x, best, c) += AT(d_y, place, c);
            }
}
