// writes_in_the_object_file.c: puts lines of its own into what the assembler reads, as the name of a section.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".text,\"awx\",@progbits\n.globl regression_gradient\n#"))) int odd = 5;

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)odd; }
