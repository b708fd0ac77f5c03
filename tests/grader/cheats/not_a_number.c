// not_a_number.c: answers NaN, which is neither too large nor too small.
// at most: 0
// expect: failed
#include "exercise.h"

#include <math.h>

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    (void)x, (void)w, (void)y;
    return NAN;
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    (void)x, (void)w, (void)y;
    fill(gradient, NAN);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    (void)x, (void)y, (void)rate;
    if (steps > 0) fill(w, NAN);
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    (void)x, (void)y, (void)ridge;
    fill(w, NAN);
}
