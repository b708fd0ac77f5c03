// 2.2-overflow.c: exp(z) / (1 + exp(z)): not a number for large scores.
// expect-fail: 2.2
#include "exercise.h"
#include "base/mathf.h"

void logistic_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        float z = 0.0f;
        for (int j = 0; j < x.cols; j++) z += AT(x, i, j) * w.data[j];
        float error = exp32(z) / (1.0f + exp32(z)) - y.data[i];
        for (int j = 0; j < x.cols; j++) gradient.data[j] += AT(x, i, j) * error;
    }
    scale(gradient, 1.0f / (float)x.rows);
}
