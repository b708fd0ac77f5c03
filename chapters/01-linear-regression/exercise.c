// Exercises of chapter 1, linear regression. Replace each NOT_WRITTEN line by your answer; exercise.h says what is asked.
// `make test` and, once it is there, `make grade1` tell how far you are.
#include "exercise.h"

// TASK 1.1
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    (void)x, (void)w, (void)y; // this line only keeps the compiler quiet: remove it too
    NOT_WRITTEN("1.1");
    return 0.0f;
}

// TASK 1.2
void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    (void)gradient, (void)x, (void)w, (void)y;
    NOT_WRITTEN("1.2");
}

// TASK 1.3
void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    (void)w, (void)x, (void)y, (void)rate, (void)steps;
    NOT_WRITTEN("1.3");
}

// TASK 1.4
void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    (void)w, (void)x, (void)y, (void)ridge;
    NOT_WRITTEN("1.4");
}
