// huge_array.c: an array as large as a disk.
// at most: 0
// expect: compile error
#include "exercise.h"

char huge[1ul << 36] = {1};

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + huge[5]; }
