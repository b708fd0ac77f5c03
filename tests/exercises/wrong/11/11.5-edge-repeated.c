// 11.5-edge-repeated.c: repeats the edge instead of the background.
// expect-fail: 11.5
#include "exercise.h"

void move_picture(Matrix out, Matrix picture, int dy, int dx, int flip, float background)
{
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            int from_y = y - dy, from_x = x - dx;
            (void)background;
            from_y = int_min(int_max(from_y, 0), picture.rows - 1);
            from_x = int_min(int_max(from_x, 0), picture.cols - 1);
            AT(out, y, x) = AT(picture, from_y, flip == 1 ? picture.cols - 1 - from_x : from_x);
        }
}
