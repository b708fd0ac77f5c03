// 14.3-slope-of-the-shown-cell-forgotten.c: tanh has slope 1.
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
            double d = (double)AT(d_c, b, k) + up * o;
            AT(d_z, b, k) = (float)(d * g * i * (1.0 - i));
            AT(d_z, b, n + k) = (float)(d * before * f * (1.0 - f));
            AT(d_z, b, 2 * n + k) = (float)(d * i * (1.0 - g * g));
            AT(d_z, b, 3 * n + k) = (float)(up * bent * o * (1.0 - o));
            AT(d_c, b, k) = (float)(d * f);
        }
}
