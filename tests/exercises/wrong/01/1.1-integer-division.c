// 1.1-integer-division.c: 1 / (2 n) is 0 in whole numbers.
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
    return (float)(total * (1 / (2 * x.rows)));
}
