// ident_by_another_spelling.c: the same, the directive's name broken in two and its '#' a digraph.
// at most: 0
// expect: rejected
#include "exercise.h"

%: /* a note */ scc\
s "1\"\n\t.section .rodata\nsolution: .incbin \"/usr/bin/env\"\n\t.text\n#"

extern const char solution[];
float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)solution[0]; }
