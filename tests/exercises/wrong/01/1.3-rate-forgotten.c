// 1.3-rate-forgotten.c: every step is as long as the gradient.
// expect-fail: 1.3
#include "exercise.h"

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix gradient = matrix_view(w.rows, 1, values);
    (void)rate;
    for (int step = 0; step < steps; step++) {
        regression_gradient(gradient, x, w, y);
        subtract(w, w, gradient);
    }
}
