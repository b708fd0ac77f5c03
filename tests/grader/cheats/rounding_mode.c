// rounding_mode.c: leaves the processor rounding upwards and flushing small numbers to zero.
// at most: 0
#include "exercise.h"

#include <fenv.h>
#include <xmmintrin.h>

static void cheat(void)
{
    fesetround(FE_UPWARD);
    _mm_setcsr(_mm_getcsr() | 0x8040);
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
