// huge_alignment.c: variables that may stand only far apart.
// at most: 0
// expect: compile error
#include "exercise.h"

__attribute__((aligned(1 << 28))) char one = 1, two = 2;

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)(one + two); }
