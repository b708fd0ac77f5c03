// 9.1-leak-forgotten.c: √2 for every slope.
// expect-fail: 9.1
#include "exercise.h"
#include <math.h>

float keeping_gain(float slope)
{
    (void)slope;
    return sqrtf(2.0f);
}
