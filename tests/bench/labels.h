// labels.h: how many labels are right, for the benchmarks whose models answer with classes.
#pragma once

// The fraction of predicted [count] that equals labels [count].
static inline double fraction_right(const int *predicted, const int *labels, int count)
{
    int right = 0;
    for (int i = 0; i < count; i++) right += predicted[i] == labels[i];
    return (double)right / count;
}
