// 14.1-sign.c: the bias that forgets as fast as this one keeps.
// expect-fail: 14.1
#include "exercise.h"
#include <math.h>

float forget_bias(float steps) { return (float)log(expm1(0.6931471805599453 / (double)steps)); }
