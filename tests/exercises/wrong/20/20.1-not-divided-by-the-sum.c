// 20.1-not-divided-by-the-sum.c: forgets to divide by the sum.
// expect-fail: 20.1
#include "exercise.h"

#include <math.h>

void soften(Matrix p, Matrix logits, float temperature)
{
    double most = (double)largest(logits);
    for (int i = 0; i < p.cols; i++)
        p.data[i] = (float)(exp(((double)logits.data[i] - most) / (double)temperature));
}
