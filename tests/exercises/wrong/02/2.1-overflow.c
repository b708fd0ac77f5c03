// 2.1-overflow.c: log(1 + exp(z)) as it stands: infinite from 89 on.
// expect-fail: 2.1
#include "exercise.h"
#include "base/mathf.h"

float logistic_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float z = 0.0f;
        for (int j = 0; j < x.cols; j++) z += AT(x, i, j) * w.data[j];
        total += (double)(log32(1.0f + exp32(z)) - y.data[i] * z);
    }
    return (float)(total / x.rows);
}
