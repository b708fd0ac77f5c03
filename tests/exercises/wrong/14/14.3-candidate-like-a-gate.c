// 14.3-candidate-like-a-gate.c: s(1 - s) for the candidate.
// expect-fail: 14.3
#include "exercise.h"
#include <math.h>

void cell_step_gradient(Matrix d_z, Matrix d_c, Matrix d_h, Matrix c, Matrix z)
{
    int n = c.cols;
    for (int b = 0; b < c.rows; b++)
        for (int k = 0; k < n; k++) {
            double i = gate(AT(z, b, k)), f = gate(AT(z, b, n + k)), g = tanh((double)AT(z, b, 2 * n + k));
            double o = gate(AT(z, b, 3 * n + k)), before = (double)AT(c, b, k), up = (double)AT(d_h, b, k);
            double bent = tanh(f * before + i * g);
            double d = (double)AT(d_c, b, k) + up * o * (1.0 - bent * bent);
            AT(d_z, b, k) = (float)(d * g * i * (1.0 - i));
            AT(d_z, b, n + k) = (float)(d * before * f * (1.0 - f));
            AT(d_z, b, 2 * n + k) = (float)(d * i * g * (1.0 - g));
            AT(d_z, b, 3 * n + k) = (float)(up * bent * o * (1.0 - o));
            AT(d_c, b, k) = (float)(d * f);
        }
}
