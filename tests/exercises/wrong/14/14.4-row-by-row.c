// 14.4-row-by-row.c: gives each row its own length.
// expect-fail: 14.4
#include "exercise.h"
#include <math.h>

void clip(Matrix g, float limit)
{
    for (int i = 0; i < g.rows; i++) {
        double square = 0.0;
        for (int j = 0; j < g.cols; j++) square += (double)AT(g, i, j) * (double)AT(g, i, j);
        double size = sqrt(square);
        for (int j = 0; j < g.cols && size > (double)limit; j++)
            AT(g, i, j) = (float)((double)AT(g, i, j) * ((double)limit / size));
    }
}
