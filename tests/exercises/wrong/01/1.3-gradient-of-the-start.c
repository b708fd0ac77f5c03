// 1.3-gradient-of-the-start.c: one gradient for all steps: it is not computed anew where the weights have come to.
// expect-fail: 1.3
#include "exercise.h"

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix gradient = matrix_view(w.rows, 1, values);
    regression_gradient(gradient, x, w, y);
    for (int step = 0; step < steps; step++) add_scaled(w, -rate, gradient);
}
