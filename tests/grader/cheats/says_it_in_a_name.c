// says_it_in_a_name.c: the same words as the name of a file that it wants.
// at most: 0
// expect: compile error
#include "exercise.h"

#include "cc: cannot execute 'cc1': No space left on device.h"

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
