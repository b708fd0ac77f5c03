// nested_too_deep.c: parentheses in parentheses until the compiler's stack is full.
// at most: 0
// expect: compile error
#include "exercise.h"

#define P1(x) ((((((((((x))))))))))
#define P2(x) P1(P1(P1(P1(P1(P1(P1(P1(P1(P1(x))))))))))
#define P3(x) P2(P2(P2(P2(P2(P2(P2(P2(P2(P2(x))))))))))
#define P4(x) P3(P3(P3(P3(P3(P3(P3(P3(P3(P3(x))))))))))

float regression_loss(Matrix x, Matrix w, Matrix y) { return x.data[0] + w.data[0] + y.data[0] + P4(1.0f); }
