// leaks_the_data_segment.c: moves the end of the data segment and leaves it there.
// at most: 16
// at least: 16
#include "exercise.h"

#include <unistd.h>

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    if (sbrk(1 << 16) == (void *)-1) return 0.0f;
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
