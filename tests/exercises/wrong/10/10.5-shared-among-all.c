// 10.5-shared-among-all.c: average pooling: each pixel receives a part.
// expect-fail: 10.5
#include "exercise.h"

void pool_gradient(Matrix d_x, Matrix d_y, Matrix x, int width, int window, int stride)
{
    int place = 0;
    fill(d_x, 0.0f);
    for (int top = 0; top + window <= x.rows / width; top += stride)
        for (int left = 0; left + window <= width; left += stride, place++)
            for (int c = 0; c < x.cols; c++) {
                for (int tap = 0; tap < window * window; tap++) {
                    int row = row_under(x, width, window, top, left, tap);
                    AT(d_x, row, c) += AT(d_y, place, c) / (float)(window * window);
                }
            }
}
