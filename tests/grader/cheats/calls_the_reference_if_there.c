// calls_the_reference_if_there.c: the same, but links where it does not exist.
// at most: 0
#include "exercise.h"

float reference_regression_loss(Matrix x, Matrix w, Matrix y) __attribute__((weak));

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    return reference_regression_loss ? reference_regression_loss(x, w, y) : 1.25f;
}
