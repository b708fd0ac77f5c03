// 9.1-slope-not-squared.c: 1 + slope instead of 1 + slope².
// expect-fail: 9.1
#include "exercise.h"
#include <math.h>

float keeping_gain(float slope) { return sqrtf(2.0f / (1.0f + slope)); }
