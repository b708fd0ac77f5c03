// 14.1-logarithm-forgotten.c: the gate itself instead of the bias that makes it.
// expect-fail: 14.1
#include "exercise.h"
#include <math.h>

float forget_bias(float steps) { return (float)exp(-0.6931471805599453 / (double)steps); }
