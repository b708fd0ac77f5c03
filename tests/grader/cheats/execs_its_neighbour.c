// execs_its_neighbour.c: looks for a classmate's worker by process number and becomes it.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void cheat(void)
{
    char path[64], *const none[] = {NULL};
    for (int process = getpid() + 40; process > 0; process--) {
        snprintf(path, sizeof path, "/proc/%d/exe", process);
        syscall(SYS_execveat, 5, path, none, none, AT_EMPTY_PATH);
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
