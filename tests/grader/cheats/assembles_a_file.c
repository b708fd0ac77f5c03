// assembles_a_file.c: lets the assembler read a file into the program.
// at most: 0
// expect: rejected
#include "exercise.h"

__asm__(".section .rodata\nsolution: .incbin \"solution.c\"");

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
