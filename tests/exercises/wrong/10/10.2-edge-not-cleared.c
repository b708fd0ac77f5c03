// 10.2-edge-not-cleared.c: beyond the edge the old numbers stay.
// expect-fail: 10.2
#include "exercise.h"

void patches(Matrix rows, Matrix x, int width, int window, int stride, int padding)
{
    int high = x.rows / width + padding, place = 0;
    for (int top = -padding; top + window <= high; top += stride)
        for (int left = -padding; left + window <= width + padding; left += stride, place++)
            for (int tap = 0; tap < window * window; tap++) {
                int row = row_under(x, width, window, top, left, tap);
                for (int c = 0; c < x.cols; c++)
                    if (row >= 0) AT(rows, place, tap * x.cols + c) = AT(x, row, c);
            }
}
