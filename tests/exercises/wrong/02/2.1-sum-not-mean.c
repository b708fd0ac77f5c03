// 2.1-sum-not-mean.c: the sum over the examples is not divided by n.
// expect-fail: 2.1
#include "exercise.h"
#include "base/mathf.h"

float logistic_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float z = 0.0f;
        for (int j = 0; j < x.cols; j++) z += AT(x, i, j) * w.data[j];
        total += (double)(fmaxf(z, 0.0f) + log32(1.0f + exp32(-fabsf(z))) - y.data[i] * z);
    }
    return (float)total;
}
