// 10.2-features-outermost.c: all taps of the first feature, then all of the second.
// expect-fail: 10.2
// and therefore: 10.3 10.4
#include "exercise.h"

void patches(Matrix rows, Matrix x, int width, int window, int stride, int padding)
{
    int high = x.rows / width + padding, place = 0;
    for (int top = -padding; top + window <= high; top += stride)
        for (int left = -padding; left + window <= width + padding; left += stride, place++)
            for (int tap = 0; tap < window * window; tap++) {
                int row = row_under(x, width, window, top, left, tap);
                for (int c = 0; c < x.cols; c++)
                    AT(rows, place, c * window * window + tap) = row < 0 ? 0.0f : AT(x, row, c);
            }
}
