// 11.3-variance-with-n.c: the variance of the batch with 1/N.
// expect-fail: 11.3
#include "exercise.h"

void follow_batch(Matrix mean, Matrix variance, Matrix x, float momentum)
{
    for (int j = 0; j < x.cols; j++) {
        double batch_mean, squares;
        column_statistics(&batch_mean, &squares, x, j);
        mean.data[j] = (1.0f - momentum) * mean.data[j] + momentum * (float)batch_mean;
        variance.data[j] = (1.0f - momentum) * variance.data[j] + momentum * (float)(squares / x.rows);
    }
}
