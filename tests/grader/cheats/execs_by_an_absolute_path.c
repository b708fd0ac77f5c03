// execs_by_an_absolute_path.c: the descriptor of the one exec that the jail allowed is passed over by an absolute path;
// so a program becomes a classmate's worker.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void cheat(void)
{
    char *const none[] = {NULL};
    syscall(SYS_execveat, 5, "/proc/self/exe", none, none, AT_EMPTY_PATH);
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
