// makes_its_data_executable.c: asks for the right to execute its own data.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned char code[8192] = {0xC3};

static void cheat(void)
{
    unsigned long page = ((unsigned long)code + 4095) & ~4095ul;
    syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))page)();
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
