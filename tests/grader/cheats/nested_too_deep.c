// nested_too_deep.c: "not" of "not" of … until the compiler's own stack is full and it crashes.
// at most: 0
// expect: compile error
#include "exercise.h"

#define N1 !!!!!!!!!!
#define N2 N1 N1 N1 N1 N1 N1 N1 N1 N1 N1
#define N3 N2 N2 N2 N2 N2 N2 N2 N2 N2 N2
#define N4 N3 N3 N3 N3 N3 N3 N3 N3 N3 N3
#define N5 N4 N4 N4 N4 N4 N4 N4 N4 N4 N4
#define N6 N5 N5 N5 N5 N5 N5 N5 N5 N5 N5

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + (float)(N6 x.rows); }
