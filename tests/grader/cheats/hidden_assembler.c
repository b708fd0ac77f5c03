// hidden_assembler.c: the same, with the word pasted together.
// at most: 0
// expect: rejected
#include "exercise.h"

#define PASTE(a, b) a##b
PASTE(__a, sm__)(".section .rodata\nsolution: .incbin \"/etc/passwd\"");

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0]; }
