// raises_its_own_limits.c: asks for more time, with limits at an address whose lower half is 0.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void cheat(void)
{
    struct rlimit *more = mmap((void *)(1ul << 32), 4096, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *more = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    syscall(SYS_prlimit64, 0, RLIMIT_CPU, more, NULL);
    for (;;) {
    }
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
