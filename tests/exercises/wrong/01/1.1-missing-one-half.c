// 1.1-missing-one-half.c: divides by n and not by 2n.
// expect-fail: 1.1
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float error = -y.data[i];
        for (int j = 0; j < x.cols; j++) error += AT(x, i, j) * w.data[j];
        total += (double)(error * error);
    }
    return (float)(total / x.rows);
}
