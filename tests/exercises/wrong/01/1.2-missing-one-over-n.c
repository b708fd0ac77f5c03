// 1.2-missing-one-over-n.c: the sum is not divided by the number of examples.
// expect-fail: 1.2
// and therefore: 1.3
#include "exercise.h"

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        float error = -y.data[i];
        for (int j = 0; j < x.cols; j++) error += AT(x, i, j) * w.data[j];
        for (int j = 0; j < x.cols; j++) gradient.data[j] += AT(x, i, j) * error;
    }
}
