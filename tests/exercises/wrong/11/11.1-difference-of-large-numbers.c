// 11.1-difference-of-large-numbers.c: the variance as mean of squares minus square of the mean, in float: for columns far
// from zero nothing is left of it.
// expect-fail: 11.1
#include "exercise.h"

#include <math.h>

void normalise_channels(Matrix y, Matrix x, Matrix gain, Matrix bias)
{
    for (int j = 0; j < x.cols; j++) {
        float mean = 0.0f, square = 0.0f;
        for (int i = 0; i < x.rows; i++) {
            mean += AT(x, i, j) / (float)x.rows;
            square += AT(x, i, j) * AT(x, i, j) / (float)x.rows;
        }
        float r = 1.0f / sqrtf(fmaxf(0.0f, square - mean * mean) + 1e-5f);
        for (int i = 0; i < x.rows; i++) AT(y, i, j) = (AT(x, i, j) - mean) * r * gain.data[j] + bias.data[j];
    }
}
