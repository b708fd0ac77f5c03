// 11.5-comes-in-on-the-other-side.c: what leaves on one side comes in on the other.
// expect-fail: 11.5
#include "exercise.h"

void move_picture(Matrix out, Matrix picture, int dy, int dx, int flip, float background)
{
    for (int y = 0; y < out.rows; y++)
        for (int x = 0; x < out.cols; x++) {
            int from_y = y - dy, from_x = x - dx;
            (void)background;
            from_y = (from_y % picture.rows + picture.rows) % picture.rows;
            from_x = (from_x % picture.cols + picture.cols) % picture.cols;
            AT(out, y, x) = AT(picture, from_y, flip == 1 ? picture.cols - 1 - from_x : from_x);
        }
}
