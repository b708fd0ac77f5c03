// 11.5-other-direction.c: moves up and left.
// expect-fail: 11.5
#include "exercise.h"

void move_picture(Matrix out, Matrix picture, int dy, int dx, int flip, float background)
{
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            int from_y = y + dy, from_x = x + dx;
            AT(out, y, x) = background;
            if (from_y < 0 || from_y >= picture.rows || from_x < 0 || from_x >= picture.cols) continue;
            AT(out, y, x) = AT(picture, from_y, flip == 1 ? picture.cols - 1 - from_x : from_x);
        }
}
