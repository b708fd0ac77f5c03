// 13.5-norm-of-the-matrix.c: one power only.
// expect-fail: 13.5
#include "exercise.h"

float radius(Matrix a) { return (float)norm(a); }
