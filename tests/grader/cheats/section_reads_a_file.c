// section_reads_a_file.c: hands the assembler a line in the name of a section.
// at most: 0
// expect: rejected
#include "exercise.h"

__attribute__((section(".rodata\n\t.globl solution\nsolution: .incbin \"/usr/bin/env\"\n#"))) const int odd = 5;

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    return x.data[0] + w.data[0] + y.data[0] + (float)(solution[0] + odd);
}
