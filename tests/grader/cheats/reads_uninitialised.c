// reads_uninitialised.c: adds up an array that was never filled.
// at most: 0
#include "exercise.h"

#include <stdlib.h>

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    float sums[64];
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        sums[i % 64] += (float)(error * error);
    }
    for (int i = 0; i < 64; i++) total += (double)sums[i];
    return (float)(total / (2.0 * x.rows));
}
