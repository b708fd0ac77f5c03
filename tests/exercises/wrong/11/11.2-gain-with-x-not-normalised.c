// 11.2-gain-with-x-not-normalised.c: the gain's gradient from x instead of the normalised x.
// expect-fail: 11.2
#include "exercise.h"

#include <math.h>

void normalise_channels_gradient(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix d_y, Matrix x, Matrix gain)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, squares, sum = 0.0, along = 0.0, raw = 0.0;
        column_statistics(&mean, &squares, x, j);
        double r = 1.0 / sqrt(squares / x.rows + 1e-5);
        for (int i = 0; i < x.rows; i++) {
            sum += (double)AT(d_y, i, j);
            along += (double)AT(d_y, i, j) * ((double)AT(x, i, j) - mean) * r;
            raw += (double)AT(d_y, i, j) * (double)AT(x, i, j);
        }
        d_bias.data[j] = (float)sum;
        d_gain.data[j] = (float)raw;
        for (int i = 0; i < x.rows; i++) {
            double normal = ((double)AT(x, i, j) - mean) * r;
            double through = (double)AT(d_y, i, j) - sum / x.rows - normal * along / x.rows;
            AT(d_x, i, j) = (float)((double)gain.data[j] * r * through);
        }
    }
}
