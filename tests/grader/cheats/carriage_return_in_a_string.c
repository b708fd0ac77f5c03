// carriage_return_in_a_string.c: a quotation mark on either side of a lone carriage return hides what follows.
// at most: 0
// expect: rejected compile error
#include "exercise.h"

const char *text = ""; __asm__(".globl solution\n.section .rodata\nsolution: .incbin \"/usr/bin/env\"\n.text");

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)solution[0]; }
