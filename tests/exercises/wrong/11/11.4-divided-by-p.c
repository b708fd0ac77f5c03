// 11.4-divided-by-p.c: divides by p instead of 1 − p.
// expect-fail: 11.4
#include "exercise.h"

void drop(Matrix x, Matrix uniform, float p)
{
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++)
            AT(x, i, j) = AT(uniform, i, j) < p ? 0.0f : AT(x, i, j) / (p + 1e-9f);
}
