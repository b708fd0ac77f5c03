// 2.2-scores-not-probabilities.c: the error of the score, as in chapter 1: the sigmoid is forgotten.
// expect-fail: 2.2
#include "exercise.h"

void logistic_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        float z = 0.0f;
        for (int j = 0; j < x.cols; j++) z += AT(x, i, j) * w.data[j];
        float error = z - y.data[i];
        for (int j = 0; j < x.cols; j++) gradient.data[j] += AT(x, i, j) * error;
    }
    scale(gradient, 1.0f / (float)x.rows);
}
