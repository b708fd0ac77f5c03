// reads_limits_of_others.c: asks whether other processes are there.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void cheat(void)
{
    struct rlimit limits;
    for (int process = 1; process < 1000; process++)
        syscall(SYS_prlimit64, process, RLIMIT_CPU, NULL, &limits);
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
