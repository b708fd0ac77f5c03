// carriage_return.c: ends a comment with a carriage return alone, where one compiler reads on and another does not, and
// says behind it that what follows belongs to the system.
// at most: 0
// expect: rejected
#include "exercise.h"

#define PASTE(a, b) a##b
// a comment #line 1 "/usr/include/stdio.h"
PASTE(__a, sm__)(".globl solution\n.section .rodata\nsolution: .incbin \"/usr/bin/env\"\n.text");

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)solution[0]; }
