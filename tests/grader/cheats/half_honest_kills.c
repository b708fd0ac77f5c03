// half_honest_kills.c: one right answer, and for the rest it attacks the grader.
// at most: 20
// at least: 20
#include "exercise.h"

#include <signal.h>
#include <unistd.h>

// An honest answer, worth TASK 1.1's 20 points.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    (void)gradient, (void)x, (void)w, (void)y;
    kill(getppid(), SIGKILL);
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    (void)w, (void)x, (void)y, (void)ridge;
    kill(-1, SIGKILL);
}
