// section_repeats_itself.c: makes the assembler repeat a line until the disk is full.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".data\n\t.rept 2000000000\n\t.quad 5\n\t.endr\n#"))) int odd = 5;

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)odd; }
