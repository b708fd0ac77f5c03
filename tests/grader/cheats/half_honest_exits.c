// half_honest_exits.c: one right answer, and for the rest it ends with success.
// at most: 20
// at least: 20
#include "exercise.h"

#include <stdlib.h>

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
    exit(0);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    (void)w, (void)x, (void)y, (void)rate, (void)steps;
    exit(0);
}
