// hides_its_leak.c: the same, with a free of its own that does nothing.
// at most: 16
#include "exercise.h"

#include <stdlib.h>

void free(void *piece) { (void)piece; }

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    float *volatile copy = malloc(100 * sizeof *copy);
    if (!copy) return 0.0f;
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    free(copy);
    return (float)(total / (2.0 * x.rows));
}
