// 14.4-square-in-float.c: the square of a large gradient is infinite.
// expect-fail: 14.4
#include "exercise.h"
#include <math.h>

void clip(Matrix g, float limit)
{
    float square = 0.0;
    for (int i = 0; i < g.rows; i++)
        for (int j = 0; j < g.cols; j++) square += AT(g, i, j) * AT(g, i, j);
    double size = (double)sqrtf(square);
    if (size <= (double)limit) return;
    for (int i = 0; i < g.rows; i++)
        for (int j = 0; j < g.cols; j++) AT(g, i, j) = (float)((double)AT(g, i, j) * ((double)limit / size));
}
