// patches_the_grader.c: writes into the memory of its parent through /proc.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void cheat(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", getppid());
    int memory = open(path, O_RDWR);
    for (long at = 0x400000; memory >= 0 && at < 0x500000; at += 4096) pwrite(memory, "\xC3", 1, at);
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
