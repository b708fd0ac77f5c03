// 14.2-four-neighbours.c: takes the four sums of a number for neighbours.
// expect-fail: 14.2
#include "exercise.h"
#include <math.h>

void cell_step(Matrix h, Matrix c, Matrix z)
{
    int n = c.cols;
    for (int b = 0; b < c.rows; b++)
        for (int k = 0; k < n; k++) {
            double i = gate(AT(z, b, 4 * k)), f = gate(AT(z, b, 4 * k + 1)),
                   g = tanh((double)AT(z, b, 4 * k + 2));
            double after = f * (double)AT(c, b, k) + i * g;
            AT(c, b, k) = (float)after;
            AT(h, b, k) = (float)(gate(AT(z, b, 4 * k + 3)) * tanh(after));
        }
}
