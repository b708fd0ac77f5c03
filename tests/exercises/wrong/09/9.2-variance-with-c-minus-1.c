// 9.2-variance-with-c-minus-1.c: divides by C − 1 (by 1 where C is 1).
// expect-fail: 9.2
// and therefore: 9.4 9.5
#include "exercise.h"
#include <math.h>

void normalise(Matrix y, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        double average = 0.0, square = 0.0;
        for (int j = 0; j < x.cols; j++) average += (double)AT(x, i, j) / x.cols;
        for (int j = 0; j < x.cols; j++)
            square += ((double)AT(x, i, j) - average) * ((double)AT(x, i, j) - average) /
                      (x.cols > 1 ? x.cols - 1 : 1);
        double deviation = sqrt(square + 1e-5);
        for (int j = 0; j < x.cols; j++) AT(y, i, j) = (float)(((double)AT(x, i, j) - average) / deviation);
    }
}
