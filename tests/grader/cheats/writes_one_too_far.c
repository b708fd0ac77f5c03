// writes_one_too_far.c: a right gradient with one element too many.
// at most: 0
// expect: memory error
#include "exercise.h"

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j <= x.cols; j++) {
        *(volatile float *)&gradient.data[j] = 0.0f;
        if (j == x.cols) break;
        for (int i = 0; i < x.rows; i++) {
            float error = -y.data[i];
            for (int k = 0; k < x.cols; k++) error += AT(x, i, k) * w.data[k];
            gradient.data[j] += AT(x, i, j) * error / (float)x.rows;
        }
    }
}
