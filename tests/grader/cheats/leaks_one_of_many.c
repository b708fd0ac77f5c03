// leaks_one_of_many.c: takes twenty thousand small blocks and keeps one of them.
// at most: 16
// at least: 16
#include "exercise.h"

#include <stdlib.h>

enum { MANY = 20000 };

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    static void *blocks[MANY];
    for (int i = 0; i < MANY; i++) blocks[i] = malloc(24);
    for (int i = 0; i < MANY; i++)
        if (i != 12345) free(blocks[i]);
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
