// 11.3-deviation-instead-of-variance.c: keeps the deviation instead of the variance.
// expect-fail: 11.3
#include "exercise.h"

#include <math.h>

void follow_batch(Matrix mean, Matrix variance, Matrix x, float momentum)
{
    for (int j = 0; j < x.cols; j++) {
        double batch_mean, squares;
        column_statistics(&batch_mean, &squares, x, j);
        mean.data[j] = (1.0f - momentum) * mean.data[j] + momentum * (float)batch_mean;
        variance.data[j] =
            (1.0f - momentum) * variance.data[j] + momentum * (float)sqrt(squares / (x.rows - 1));
    }
}
