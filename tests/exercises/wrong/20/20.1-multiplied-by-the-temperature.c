// 20.1-multiplied-by-the-temperature.c: multiplies by the temperature.
// expect-fail: 20.1
#include "exercise.h"

#include <math.h>

void soften(Matrix p, Matrix logits, float temperature)
{
    double total = 0.0, most = (double)largest(logits);
    for (int i = 0; i < p.cols; i++) total += exp(((double)logits.data[i] - most) * (double)temperature);
    for (int i = 0; i < p.cols; i++)
        p.data[i] = (float)(exp(((double)logits.data[i] - most) * (double)temperature) / total);
}
