// says_it_in_a_message.c: lets the compiler tell those words while it compiles, then does not compile.
// at most: 0
// expect: compile error
#include "exercise.h"

#pragma message "fatal error: error writing to exercise.s: No space left on device"
_Static_assert(sizeof(int) == 3, "collect2: fatal error: cannot execute 'ld'");

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
