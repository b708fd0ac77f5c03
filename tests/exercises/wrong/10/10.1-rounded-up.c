// 10.1-rounded-up.c: half a step is made: the window leaves the padding.
// expect-fail: 10.1
#include "exercise.h"

int output_side(int side, int window, int stride, int padding)
{
    return (side + 2 * padding - window + stride - 1) / stride + 1;
}
