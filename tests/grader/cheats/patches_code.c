// patches_code.c: makes the code of its own process writable, to change the checks in it.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <string.h>
#include <sys/mman.h>

static void cheat(void)
{
    char *page = (char *)((uintptr_t)&matrix_fill & ~4095ul);
    mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    memset(page, 0xC3, 4096);
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
