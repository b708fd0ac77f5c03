// 10.5-starts-at-zero.c: a window of negative numbers has no winner but its first pixel.
// expect-fail: 10.5
#include "exercise.h"
#include <math.h>

void pool_gradient(Matrix d_x, Matrix d_y, Matrix x, int width, int window, int stride)
{
    int place = 0;
    fill(d_x, 0.0f);
    for (int top = 0; top + window <= x.rows / width; top += stride)
        for (int left = 0; left + window <= width; left += stride, place++)
            for (int c = 0; c < x.cols; c++) {
                int best = top * width + left;
                float most = fmaxf(0.0f, AT(x, best, c));
                for (int tap = 1; tap < window * window; tap++) {
                    int row = row_under(x, width, window, top, left, tap);
                    if (AT(x, row, c) > most) best = row, most = AT(x, row, c);
                }
                AT(d_x, best, c) += AT(d_y, place, c);
            }
}
