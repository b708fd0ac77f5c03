// 20.1-largest-not-subtracted.c: does not subtract the largest.
// expect-fail: 20.1
#include "exercise.h"

#include <math.h>

void soften(Matrix p, Matrix logits, float temperature)
{
    double total = 0.0;
    for (int i = 0; i < p.cols; i++) total += exp(((double)logits.data[i]) / (double)temperature);
    for (int i = 0; i < p.cols; i++)
        p.data[i] = (float)(exp(((double)logits.data[i]) / (double)temperature) / total);
}
