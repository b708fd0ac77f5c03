// opens_the_grader_again.c: opens its own descriptors anew through /proc.
// at most: 0
#include "exercise.h"

#include <fcntl.h>
#include <unistd.h>

static void cheat(void)
{
    if (open("/proc/self/fd/4", O_WRONLY) >= 0 || open("/proc/1/mem", O_RDWR) >= 0) _exit(0);
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
