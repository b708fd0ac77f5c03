// 14.1-digits-lost.c: 1 minus a number close to 1, in float: nothing is left for many steps.
// expect-fail: 14.1
#include "exercise.h"
#include <math.h>

float forget_bias(float steps) { return -logf(1.0f / expf(-0.6931472f / steps) - 1.0f); }
