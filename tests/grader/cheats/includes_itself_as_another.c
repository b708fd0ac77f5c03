// includes_itself_as_another.c: is two files in one, the second under a name that is not its own; there it uses the
// assembler.
// at most: 0
// expect: rejected
#ifndef SECOND
#define SECOND
#include "exercise.h"
#include "./exercise.c"

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)solution[0]; }
#else
#define PASTE(a, b) a##b
PASTE(__a, sm__)(".globl solution\n.section .rodata\nsolution: .incbin \"/usr/bin/env\"\n.text");
#endif
