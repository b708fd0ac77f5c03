// deaf_loop.c: ignores every signal it can and never comes back.
// at most: 0
// expect: time limit
#include "exercise.h"

#include <signal.h>

static void cheat(void)
{
    for (int i = 1; i < 65; i++) signal(i, SIG_IGN);
    for (volatile int i = 0;; i = 0) {
    }
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    cheat();
    return x.data[0] + w.data[0] + y.data[0];
}
