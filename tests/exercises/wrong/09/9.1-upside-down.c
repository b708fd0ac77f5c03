// 9.1-upside-down.c: what the bend takes away, not what makes up for it.
// expect-fail: 9.1
#include "exercise.h"
#include <math.h>

float keeping_gain(float slope) { return sqrtf((1.0f + slope * slope) / 2.0f); }
