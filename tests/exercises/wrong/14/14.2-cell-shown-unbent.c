// 14.2-cell-shown-unbent.c: h = o c, without tanh.
// expect-fail: 14.2
#include "exercise.h"
#include <math.h>

void cell_step(Matrix h, Matrix c, Matrix z)
{
    int n = c.cols;
    for (int b = 0; b < c.rows; b++)
        for (int k = 0; k < n; k++) {
            double i = gate(AT(z, b, k)), f = gate(AT(z, b, n + k)), g = tanh((double)AT(z, b, 2 * n + k));
            double after = f * (double)AT(c, b, k) + i * g;
            AT(c, b, k) = (float)after;
            AT(h, b, k) = (float)(gate(AT(z, b, 3 * n + k)) * after);
        }
}
