// 11.1-divides-by-the-variance.c: divides by the variance instead of its root.
// expect-fail: 11.1
#include "exercise.h"

void normalise_channels(Matrix y, Matrix x, Matrix gain, Matrix bias)
{
    for (int j = 0; j < x.cols; j++) {
        double mean, squares;
        column_statistics(&mean, &squares, x, j);
        double r = 1.0 / (squares / x.rows + 1e-5);
        for (int i = 0; i < x.rows; i++)
            AT(y, i, j) =
                (float)(((double)AT(x, i, j) - mean) * r * (double)gain.data[j] + (double)bias.data[j]);
    }
}
