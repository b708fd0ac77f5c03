// 10.1-no-plus-one.c: the place where it starts is not counted.
// expect-fail: 10.1
#include "exercise.h"

int output_side(int side, int window, int stride, int padding)
{
    return (side + 2 * padding - window) / stride;
}
