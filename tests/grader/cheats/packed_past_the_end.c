// packed_past_the_end.c: writes one byte past the end of one of many small blocks.
// at most: 0
// expect: memory error
// says: went past the end of memory that it allocated
#include "exercise.h"

#include <stdlib.h>

enum { MANY = 5000 };

// A right answer, but for what it does among its many small blocks.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    static unsigned char *volatile blocks[MANY];
    for (int i = 0; i < MANY; i++) blocks[i] = malloc(30);
    blocks[4321][30] = 1;
    for (int i = 0; i < MANY; i++) free(blocks[i]);
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
