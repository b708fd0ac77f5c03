// section_includes_a_file.c: lets the assembler read its own source, as a text of the assembler's language.
// at most: 0
// expect: rejected
#include "exercise.h"

#if 0
	.globl regression_gradient
regression_gradient: ret
#endif
__attribute__((section(".data\n\t.include \"exercise.c\"\n#"))) int odd = 5;

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)odd; }
