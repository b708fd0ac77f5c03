// stacks_an_executable.c: a function inside of a function, whose address needs an executable stack.
// at most: 0
#include "exercise.h"

static float apply(float (*function)(float), float value) { return function(value); }

static void cheat(void)
{
    volatile float offset = 1.0f;
    float shift(float value) { return value + offset; }
    offset = apply(shift, 2.0f);
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    cheat();
    return x.data[0] + w.data[0] + y.data[0];
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    cheat();
    fill(gradient, x.data[0] + w.data[0] + y.data[0]);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    cheat();
    fill(w, x.data[0] + y.data[0] + rate * (float)steps);
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    cheat();
    fill(w, x.data[0] + y.data[0] + ridge);
}
