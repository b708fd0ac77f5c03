// stops_itself.c: stops its own process, so that nobody ever answers.
// at most: 0
// expect: time limit
#include "exercise.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    syscall(SYS_tgkill, getpid(), getpid(), SIGSTOP);
    return x.data[0] + w.data[0] + y.data[0];
}
