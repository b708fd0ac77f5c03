// calls_itself_as_reference.c: defines the reference, hoping that the grader compares with this one.
// at most: 0
#include "exercise.h"

float reference_regression_loss(Matrix x, Matrix w, Matrix y);
float reference_regression_loss(Matrix x, Matrix w, Matrix y)
{
    (void)x, (void)w, (void)y;
    return 0.0f;
}

float regression_loss(Matrix x, Matrix w, Matrix y) { return reference_regression_loss(x, w, y); }
