// sleeps_on_a_futex.c: waits for what never comes, with a call that honest programs need.
// at most: 0
// expect: time limit
#include "exercise.h"

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static void cheat(void)
{
    uint32_t never = 0;
    syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
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
