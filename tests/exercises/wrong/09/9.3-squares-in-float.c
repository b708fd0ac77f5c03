// 9.3-squares-in-float.c: the mean of the squares minus the square of the mean, in float: nothing is left of it far from zero.
// expect-fail: 9.3
#include "exercise.h"
#include <math.h>

void normalise_gradient(Matrix d_x, Matrix d_y, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        float total = 0.0f, squares = 0.0f;
        for (int j = 0; j < x.cols; j++) {
            total += AT(x, i, j);
            squares += AT(x, i, j) * AT(x, i, j);
        }
        double average = (double)(total / (float)x.cols), mean_d = 0.0, along = 0.0;
        double square = fmax(0.0, (double)(squares / (float)x.cols - (float)(average * average)));
        double deviation = sqrt(square + 1e-5);
        for (int j = 0; j < x.cols; j++) {
            mean_d += (double)AT(d_y, i, j) / x.cols;
            along += (double)AT(d_y, i, j) * ((double)AT(x, i, j) - average) / deviation / x.cols;
        }
        for (int j = 0; j < x.cols; j++) {
            double normal = ((double)AT(x, i, j) - average) / deviation;
            AT(d_x, i, j) = (float)(((double)AT(d_y, i, j) - mean_d - normal * along) / deviation);
        }
    }
}
