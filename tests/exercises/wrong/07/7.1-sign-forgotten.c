// 7.1-sign-forgotten.c: the quotient falls when b grows.
// expect-fail: 7.1
#include "exercise.h"

void tape_divide(Matrix line, float a, float b)
{
    line.data[0] = a / b;
    line.data[1] = 1.0f / b;
    line.data[2] = a / (b * b);
}
