// overwrites_the_stack.c: goes up the stack and replaces every number that could be the expected one.
// at most: 0
// expect: memory error
#include "exercise.h"

static void cheat(void)
{
    volatile float *at = (volatile float *)__builtin_frame_address(0);
    for (int i = 0; i < 100000; i++) at[i] = 0.0f;
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
