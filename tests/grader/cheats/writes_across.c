// writes_across.c: writes into the memory of its parent with a system call made for it.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <sys/uio.h>
#include <unistd.h>

static void cheat(void)
{
    long zero = 0;
    struct iovec here = {&zero, 8}, there = {(void *)0x400000, 8};
    process_vm_writev(getppid(), &here, 1, &there, 1, 0);
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
