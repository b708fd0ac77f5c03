// weakref_reads_a_file.c: hands the assembler a line in the name that a reference stands for.
// at most: 0
// expect: rejected compile error
#include "exercise.h"

static int other(void) __attribute__((weakref("abort\n\t.section .rodata\nsolution: .incbin \"/usr/bin/env\"\n\t.text\n#")));

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    return x.data[0] + w.data[0] + y.data[0] + (float)(solution[0] + (other ? 1 : 0));
}
