// 9.2-epsilon-outside-the-root.c: √variance + 1e-5: a hundred times too little where the variance is small.
// expect-fail: 9.2
#include "exercise.h"
#include <math.h>

void normalise(Matrix y, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        double average = 0.0, square = 0.0;
        for (int j = 0; j < x.cols; j++) average += (double)AT(x, i, j) / x.cols;
        for (int j = 0; j < x.cols; j++)
            square += ((double)AT(x, i, j) - average) * ((double)AT(x, i, j) - average) / (x.cols);
        double deviation = sqrt(square) + 1e-5;
        for (int j = 0; j < x.cols; j++) AT(y, i, j) = (float)(((double)AT(x, i, j) - average) / deviation);
    }
}
