// 11.5-upside-down.c: flips top to bottom.
// expect-fail: 11.5
#include "exercise.h"

void move_picture(Matrix out, Matrix picture, int dy, int dx, int flip, float background)
{
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            int from_y = y - dy, from_x = x - dx;
            AT(out, y, x) = background;
            if (from_y < 0 || from_y >= picture.rows || from_x < 0 || from_x >= picture.cols) continue;
            AT(out, y, x) = AT(picture, flip == 1 ? picture.rows - 1 - from_y : from_y, from_x);
        }
}
