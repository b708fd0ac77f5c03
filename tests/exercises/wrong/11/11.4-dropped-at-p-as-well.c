// 11.4-dropped-at-p-as-well.c: an element whose number is p is dropped as well.
// expect-fail: 11.4
#include "exercise.h"

void drop(Matrix x, Matrix uniform, float p)
{
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++)
            AT(x, i, j) = AT(uniform, i, j) <= p ? 0.0f : AT(x, i, j) / (1.0f - p);
}
