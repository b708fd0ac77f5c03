// 14.1-one-step-always.c: the bias of zero, whatever the steps.
// expect-fail: 14.1
#include "exercise.h"
#include <math.h>

float forget_bias(float steps) { return steps > 0.0f ? 0.0f : 1.0f; }
