// 6.1-bias-of-the-row.c: takes the bias of the example instead of the unit.
// expect-fail: 6.1
// and therefore: 6.4 6.5
#include "exercise.h"
#include <math.h>

void mlp_hidden(Matrix h, Matrix x, Matrix w, Matrix b)
{
    matmul(h, x, w);
    for (int i = 0; i < h.rows; i++)
        for (int u = 0; u < h.cols; u++) AT(h, i, u) = fmaxf(0.0f, AT(h, i, u) + b.data[i % b.cols]);
}
