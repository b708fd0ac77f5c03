// 1.3-weights-change-while-the-gradient-is-computed.c: each weight is changed before the slopes of the others are known.
// expect-fail: 1.3
#include "exercise.h"

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix gradient = matrix_view(w.rows, 1, values);
    for (int step = 0; step < steps; step++)
        for (int j = 0; j < w.rows; j++) {
            regression_gradient(gradient, x, w, y);
            w.data[j] -= rate * values[j];
        }
}
