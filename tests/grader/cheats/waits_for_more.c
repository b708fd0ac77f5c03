// waits_for_more.c: reads the line from the grader until it blocks.
// at most: 0
// expect: time limit
#include "exercise.h"

#include <unistd.h>

static void cheat(void)
{
    char bytes[256];
    while (read(3, bytes, sizeof bytes) > 0) {
    }
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    cheat();
    return x.data[0] + w.data[0] + y.data[0];
}
