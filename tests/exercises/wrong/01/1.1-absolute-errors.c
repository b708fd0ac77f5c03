// 1.1-absolute-errors.c: the errors are not squared.
// expect-fail: 1.1
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    float total = 0.0f;
    for (int i = 0; i < x.rows; i++) {
        float error = -y.data[i];
        for (int j = 0; j < x.cols; j++) error += AT(x, i, j) * w.data[j];
        total += error < 0.0f ? -error : error;
    }
    return total / (2.0f * (float)x.rows);
}
