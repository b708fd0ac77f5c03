// stack_that_runs.c: takes the address of a function inside a function, for which the compiler writes code on the stack.
// at most: 0
// expect: rejected compile error
#include "exercise.h"

static float call(float (*of)(float), float x) { return of(x); }
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    float more = w.data[0];
    float add_more(float value) { return value + more + y.data[0]; }
    return call(add_more, x.data[0]);
}
