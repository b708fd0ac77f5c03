// 11.3-shares-exchanged.c: the old value gets the share of the new one.
// expect-fail: 11.3
#include "exercise.h"

void follow_batch(Matrix mean, Matrix variance, Matrix x, float momentum)
{
    for (int j = 0; j < x.cols; j++) {
        double batch_mean, squares;
        column_statistics(&batch_mean, &squares, x, j);
        mean.data[j] = momentum * mean.data[j] + (1.0f - momentum) * (float)batch_mean;
        variance.data[j] = momentum * variance.data[j] + (1.0f - momentum) * (float)(squares / (x.rows - 1));
    }
}
