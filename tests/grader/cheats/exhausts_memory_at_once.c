// exhausts_memory_at_once.c: asks for half a gigabyte and does not look whether it is there.
// at most: 0
// expect: memory error
// says: asked for more memory than an exercise may
#include "exercise.h"

#include <stdlib.h>

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    volatile double *errors = malloc((size_t)1 << 29);
    errors[x.rows] = (double)w.data[0];
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
