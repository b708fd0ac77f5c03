// recursion_without_end.c: runs out of stack.
// at most: 0
// expect: memory error
#include "exercise.h"

static int deeper(int depth)
{
    volatile char room[1000];
    room[depth % 1000] = (char)depth;
    return deeper(depth + 1) + room[depth % 1000];
}

static void cheat(void) { deeper(1); }

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
