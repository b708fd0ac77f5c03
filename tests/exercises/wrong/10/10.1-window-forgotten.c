// 10.1-window-forgotten.c: counts the pixels that the left end could stand on if the window had no width.
// expect-fail: 10.1
#include "exercise.h"

int output_side(int side, int window, int stride, int padding)
{
    return (side + 2 * padding - 1) / stride + 1;
}
