// section_defines_a_macro.c: gives an instruction of the compiler another meaning.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".data\n\t.macro ret\n\tjmp abort\n\t.endm\n#"))) int odd = 5;

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)odd; }
