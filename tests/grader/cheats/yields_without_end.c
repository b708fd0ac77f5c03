// yields_without_end.c: gives its turn away for ever.
// at most: 0
// expect: time limit
#include "exercise.h"

#include <sched.h>

static void cheat(void)
{
    for (;;) sched_yield();
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
