// 11.1-rows.c: normalises each row, as chapter 9 does.
// expect-fail: 11.1
#include "exercise.h"

#include <math.h>

void normalise_channels(Matrix y, Matrix x, Matrix gain, Matrix bias)
{
    for (int i = 0; i < x.rows; i++) {
        double mean = 0.0, squares = 0.0;
        for (int j = 0; j < x.cols; j++) mean += (double)AT(x, i, j) / x.cols;
        for (int j = 0; j < x.cols; j++)
            squares += ((double)AT(x, i, j) - mean) * ((double)AT(x, i, j) - mean);
        for (int j = 0; j < x.cols; j++)
            AT(y, i, j) =
                (float)(((double)AT(x, i, j) - mean) / sqrt(squares / x.cols + 1e-5)) * gain.data[j] +
                bias.data[j];
    }
}
