// 1.3-one-step-too-many.c: off by one.
// expect-fail: 1.3
#include "exercise.h"

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix gradient = matrix_view(w.rows, 1, values);
    for (int step = 0; step <= steps; step++) {
        regression_gradient(gradient, x, w, y);
        add_scaled(w, -rate, gradient);
    }
}
