// reads_the_seed.c: looks for the seed in the environment and the arguments of the grader.
// at most: 0
#include "exercise.h"

#include <stdio.h>
#include <stdlib.h>

static void cheat(void)
{
    const char *seed = getenv("SEED");
    FILE *file = fopen("/proc/self/environ", "r");
    srand(seed ? (unsigned)atoi(seed) : file ? 1 : 0);
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
