// does_not_compile.c: is not C.
// at most: 0
// expect: compile error
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + ; }
