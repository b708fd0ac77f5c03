// hidden_line.c: says that what follows belongs to the system, then uses the assembler.
// at most: 0
// expect: rejected
#include "exercise.h"

#define PASTE(a, b) a##b
? ? = line 1 "/usr/include/stdio.h" PASTE(__a, sm__)(".section .rodata\nsolution: .incbin \"/etc/passwd\"");

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
