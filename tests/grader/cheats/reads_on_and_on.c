// reads_on_and_on.c: reads the next requests itself, so that the grader waits for an answer.
// at most: 0
// expect: time limit, bad answer, crashed
#include "exercise.h"

#include <unistd.h>

static void cheat(void)
{
    char bytes[512];
    while (read(3, bytes, sizeof bytes) >= 0) {
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
