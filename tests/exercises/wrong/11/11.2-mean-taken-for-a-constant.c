// 11.2-mean-taken-for-a-constant.c: the mean is taken for a constant.
// expect-fail: 11.2
#include "exercise.h"

#include <math.h>

void normalise_channels_gradient(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix d_y, Matrix x, Matrix gain)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, squares, sum = 0.0, along = 0.0;
        column_statistics(&mean, &squares, x, j);
        double r = 1.0 / sqrt(squares / x.rows + 1e-5);
        for (int i = 0; i < x.rows; i++) {
            sum += (double)AT(d_y, i, j);
            along += (double)AT(d_y, i, j) * ((double)AT(x, i, j) - mean) * r;
        }
        d_bias.data[j] = (float)sum;
        d_gain.data[j] = (float)along;
        for (int i = 0; i < x.rows; i++) {
            double normal = ((double)AT(x, i, j) - mean) * r;
            double through = (double)AT(d_y, i, j) - normal * along / x.rows;
            AT(d_x, i, j) = (float)((double)gain.data[j] * r * through);
        }
    }
}
