// jumps_out.c: jumps to a place that is gone.
// at most: 0
#include "exercise.h"

#include <setjmp.h>
#include <string.h>

static void cheat(void)
{
    static jmp_buf place;
    if (setjmp(place) == 0) longjmp(place, 1);
    memset(&place, 0x41, sizeof place);
    longjmp(place, 1);
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
