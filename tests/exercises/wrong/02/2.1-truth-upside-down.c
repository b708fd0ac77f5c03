// 2.1-truth-upside-down.c: the surprise of the other answer.
// expect-fail: 2.1
#include "exercise.h"
#include "base/mathf.h"

float logistic_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float z = 0.0f;
        for (int j = 0; j < x.cols; j++) z += AT(x, i, j) * w.data[j];
        total += (double)(fmaxf(z, 0.0f) + log32(1.0f + exp32(-fabsf(z))) - (1.0f - y.data[i]) * z);
    }
    return (float)(total / x.rows);
}
