// includes_its_environment.c: takes what the compiler was started with.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

static const float secrets[] = {
#include "/proc/self/environ"
};

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + secrets[0]; }
