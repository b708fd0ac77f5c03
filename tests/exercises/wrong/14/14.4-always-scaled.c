// 14.4-always-scaled.c: makes short gradients longer.
// expect-fail: 14.4
#include "exercise.h"
#include <math.h>

void clip(Matrix g, float limit)
{
    double square = 0.0;
    for (int i = 0; i < g.rows; i++)
        for (int j = 0; j < g.cols; j++) square += (double)AT(g, i, j) * (double)AT(g, i, j);
    double size = sqrt(square);
    if (size == 0.0) return;
    for (int i = 0; i < g.rows; i++)
        for (int j = 0; j < g.cols; j++) AT(g, i, j) = (float)((double)AT(g, i, j) * ((double)limit / size));
}
