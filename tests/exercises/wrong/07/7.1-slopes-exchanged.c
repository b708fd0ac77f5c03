// 7.1-slopes-exchanged.c: the slope with b stands first.
// expect-fail: 7.1
#include "exercise.h"

void tape_divide(Matrix line, float a, float b)
{
    line.data[0] = a / b;
    line.data[1] = -a / (b * b);
    line.data[2] = 1.0f / b;
}
