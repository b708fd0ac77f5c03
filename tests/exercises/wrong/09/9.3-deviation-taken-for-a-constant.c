// 9.3-deviation-taken-for-a-constant.c: the part along the normalised row is not taken away.
// expect-fail: 9.3
// and therefore: 9.5
#include "exercise.h"
#include <math.h>

void normalise_gradient(Matrix d_x, Matrix d_y, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        double average = 0.0, square = 0.0, mean_d = 0.0, along = 0.0;
        for (int j = 0; j < x.cols; j++) average += (double)AT(x, i, j) / x.cols;
        for (int j = 0; j < x.cols; j++)
            square += ((double)AT(x, i, j) - average) * ((double)AT(x, i, j) - average) / x.cols;
        double deviation = sqrt(square + 1e-5);
        for (int j = 0; j < x.cols; j++) {
            mean_d += (double)AT(d_y, i, j) / x.cols;
            along += (double)AT(d_y, i, j) * ((double)AT(x, i, j) - average) / deviation / x.cols;
        }
        for (int j = 0; j < x.cols; j++) {
            double normal = ((double)AT(x, i, j) - average) / deviation;
            AT(d_x, i, j) = (float)(((double)AT(d_y, i, j) - mean_d) / deviation);
        }
    }
}
