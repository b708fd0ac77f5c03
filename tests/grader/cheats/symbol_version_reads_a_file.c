// symbol_version_reads_a_file.c: hands the assembler a line as the version of a symbol.
// at most: 0
// expect: rejected compile error
#include "exercise.h"

__attribute__((symver("old@V1\n\t.section .rodata\nsolution: .incbin \"/usr/bin/env\"\n\t.text\n#"))) int odd(void)
{
    return 5;
}

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)solution[0]; }
