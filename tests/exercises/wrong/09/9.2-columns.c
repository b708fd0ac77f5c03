// 9.2-columns.c: normalises each column: batch normalisation.
// expect-fail: 9.2
// and therefore: 9.4 9.5
#include "exercise.h"
#include <math.h>

void normalise(Matrix y, Matrix x)
{
    for (int j = 0; j < x.cols; j++) {
        double average = 0.0, square = 0.0;
        for (int i = 0; i < x.rows; i++) average += (double)AT(x, i, j) / x.rows;
        for (int i = 0; i < x.rows; i++)
            square += ((double)AT(x, i, j) - average) * ((double)AT(x, i, j) - average) / x.rows;
        for (int i = 0; i < x.rows; i++)
            AT(y, i, j) = (float)(((double)AT(x, i, j) - average) / sqrt(square + 1e-5));
    }
}
