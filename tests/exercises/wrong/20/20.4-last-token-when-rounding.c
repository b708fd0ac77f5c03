// 20.4-last-token-when-rounding.c: answers the last token when the sum stays below.
// expect-fail: 20.4
#include "exercise.h"

int draw(Matrix p, float uniform)
{
    double total = 0.0;
    for (int i = 0; i < p.cols; i++) {
        total += (double)p.data[i];
        if (total > (double)uniform) return i;
    }
    return p.cols - 1;
}
