// never_the_same_error.c: an error that depends on the moment.
// at most: 0
// expect: compile error
#include "exercise.h"

_Static_assert(sizeof(int) == 3, __DATE__ " " __TIME__ " " __TIMESTAMP__);

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
