// pins_its_neighbours.c: moves other processes to one processor, or asks where they are.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

static void cheat(void)
{
    unsigned long mask[16];
    for (int process = 1; process < 100; process++)
        syscall(SYS_sched_getaffinity, process, sizeof mask, mask);
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
