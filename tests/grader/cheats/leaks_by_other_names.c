// leaks_by_other_names.c: allocates by the C library's inner name for malloc, and frees by the outer one, but once.
// at most: 16
// at least: 16
#include "exercise.h"

#include <stdlib.h>

void *__libc_malloc(size_t size);

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    void *volatile first = __libc_malloc(100), *volatile second = __libc_malloc(100);
    if (!first || !second) return 0.0f;
    free(first);
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
