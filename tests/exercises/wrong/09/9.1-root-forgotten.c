// 9.1-root-forgotten.c: the gain of the square, not of the signal.
// expect-fail: 9.1
#include "exercise.h"

float keeping_gain(float slope) { return 2.0f / (1.0f + slope * slope); }
