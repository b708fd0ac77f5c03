// loop_without_end.c: never comes back.
// at most: 0
// expect: time limit
#include "exercise.h"

static void cheat(void)
{
    for (volatile int i = 0;; i = 0) {
    }
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    cheat();
    return x.data[0] + w.data[0] + y.data[0];
}
