// limits_its_neighbours.c: takes processor time from others of the same user: the limits stand at an address whose lower half is 0,
// which looks like no limits to who compares half a word.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void cheat(void)
{
    struct rlimit *none = mmap((void *)(1ul << 32), 4096, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *none = (struct rlimit){0, 0};
    for (int process = 1; process < 40000; process++)
        if (process != getpid()) syscall(SYS_prlimit64, process, RLIMIT_CPU, none, NULL);
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
