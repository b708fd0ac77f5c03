// says_the_disk_is_full.c: makes the compiler say what calls for a human.
// at most: 0
// expect: compile error
#include "exercise.h"

#error No space left on device; Disk quota exceeded; cc1: cannot execute: Killed signal terminated program cc1

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
