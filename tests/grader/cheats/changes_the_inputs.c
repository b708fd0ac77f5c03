// changes_the_inputs.c: makes the data fit the answer: with x and y zero, everything is zero.
// at most: 0
// expect: input changed
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    fill(x, 0.0f);
    fill(y, 0.0f);
    fill(w, 0.0f);
    return 0.0f;
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    fill(gradient, 0.0f);
    regression_loss(x, w, y);
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    (void)ridge;
    regression_loss(x, w, y);
}
