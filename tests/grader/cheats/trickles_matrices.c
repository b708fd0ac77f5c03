// trickles_matrices.c: answers at once, and then gives the numbers of a matrix a byte at a time.
// at most: 0
// expect: time limit, bad answer, input changed
#include "exercise.h"

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void cheat(void)
{
    struct {
        uint32_t kind, fault, detail, leaked;
        uint64_t address;
        double value;
    } reply = {1, 0, 0, 0, 0, 1.25};
    write(4, &reply, sizeof reply);
    uint32_t never = 0;
    struct timespec moment = {0, 15000000};
    for (;;) {
        syscall(SYS_futex, &never, FUTEX_WAIT, 0, &moment, NULL, 0);
        write(4, "", 1);
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
