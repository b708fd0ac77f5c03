// 14.1-e-for-two.c: leaves 1/e instead of one half.
// expect-fail: 14.1
#include "exercise.h"
#include <math.h>

float forget_bias(float steps) { return (float)-log(expm1(1.0 / (double)steps)); }
