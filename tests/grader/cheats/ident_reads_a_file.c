// ident_reads_a_file.c: hands the assembler a line through a directive that only names a version.
// at most: 0
// expect: rejected
#include "exercise.h"

#ident "1\"\n\t.section .rodata\nsolution: .incbin \"/usr/bin/env\"\n\t.text\n#"

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)solution[0]; }
