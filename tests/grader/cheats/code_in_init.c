// code_in_init.c: puts code where the C library's own beginning runs on.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".init"), used)) static void first(void) { fill((Matrix){0}, 0.0f); }

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
