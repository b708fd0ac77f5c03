// half_an_answer.c: starts an answer and goes silent.
// at most: 0
// expect: time limit
#include "exercise.h"

#include <unistd.h>

static void cheat(void)
{
    write(4, "\1\0\0", 3);
    for (char byte;;) read(3, &byte, 1);
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    cheat();
    return x.data[0] + w.data[0] + y.data[0];
}
