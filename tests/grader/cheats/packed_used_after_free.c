// packed_used_after_free.c: writes into one of many small blocks that it has freed.
// at most: 0
// expect: memory error
// says: used or freed memory that it had freed already
#include "exercise.h"

#include <stdlib.h>

enum { MANY = 5000 };

// A right answer, but for what it does among its many small blocks.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    static unsigned char *volatile blocks[MANY];
    for (int i = 0; i < MANY; i++) blocks[i] = malloc(30);
    for (int i = 0; i < MANY; i++) free(blocks[i]);
    blocks[4321][8] = 1;
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
