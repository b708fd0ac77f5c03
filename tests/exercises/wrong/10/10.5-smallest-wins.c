// 10.5-smallest-wins.c: min pooling.
// expect-fail: 10.5
#include "exercise.h"

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
                    if (AT(x, row, c) < AT(x, best, c)) best = row;
                }
                AT(d_x, best, c) += AT(d_y, place, c);
            }
}
