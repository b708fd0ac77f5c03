// another_interpreter.c: names, in a section of its own, the program that the kernel starts in its place.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".interp"))) const char interpreter[] = "/no/such/program";

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
