// 7.1-slopes-of-a-product.c: as if it were a · b.
// expect-fail: 7.1
#include "exercise.h"

void tape_divide(Matrix line, float a, float b)
{
    line.data[0] = a / b;
    line.data[1] = b;
    line.data[2] = a;
}
