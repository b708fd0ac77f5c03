// does_nothing.c: a test that expects no change passes for a function that does nothing.
// at most: 0
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    (void)x, (void)w, (void)y;
    return 0.0f;
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    (void)gradient, (void)x, (void)w, (void)y;
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    (void)w, (void)x, (void)y, (void)rate, (void)steps;
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge) { (void)w, (void)x, (void)y, (void)ridge; }
