// reads_one_too_far.c: a right sum that also looks one row behind the end.
// at most: 0
// expect: memory error
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i <= x.rows; i++) {
        volatile double error = -(double)y.data[i];
        if (i == x.rows) break;
        for (int j = 0; j < x.cols; j++) error = error + (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
