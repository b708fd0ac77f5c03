// 1.2-not-reset.c: adds to what the gradient held before.
// expect-fail: 1.2
// and therefore: 1.3
#include "exercise.h"

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int i = 0; i < x.rows; i++) {
        float error = -y.data[i];
        for (int j = 0; j < x.cols; j++) error += AT(x, i, j) * w.data[j];
        for (int j = 0; j < x.cols; j++) gradient.data[j] += AT(x, i, j) * error / (float)x.rows;
    }
}
