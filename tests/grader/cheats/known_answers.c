// known_answers.c: knows what the public tests want.
// at most: 0
// expect: failed
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    (void)w, (void)y;
    return x.rows == 2 ? 1.25f : 0.0f;
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    (void)w, (void)y;
    gradient.data[0] = -3.5f;
    if (x.cols > 1) gradient.data[1] = -5.0f;
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    (void)x, (void)y, (void)rate;
    if (steps > 0) w.data[0] = 0.5f;
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    (void)x, (void)y, (void)ridge;
    w.data[0] = 1.0f;
}
