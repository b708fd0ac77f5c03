// leaks_a_growing_array.c: keeps an array from reallocarray.
// at most: 16
// at least: 16
#include "exercise.h"

#include <stdlib.h>

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double *volatile errors = NULL;
    for (size_t i = 1; i < 20; i++) errors = reallocarray(errors, i, sizeof *errors);
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
