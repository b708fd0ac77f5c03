// 10.1-padding-on-one-side.c: padding is counted once.
// expect-fail: 10.1
#include "exercise.h"

int output_side(int side, int window, int stride, int padding)
{
    return (side + padding - window) / stride + 1;
}
