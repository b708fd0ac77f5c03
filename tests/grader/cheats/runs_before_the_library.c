// runs_before_the_library.c: ends with success before the C library is set up.
// at most: 0
// expect: crashed
#include "exercise.h"

#include <unistd.h>

static void first(void) { _exit(0); }
__attribute__((section(".preinit_array"), used)) static void (*firsts[])(void) = {first};

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
