// 20.4-most-likely.c: always the most likely.
// expect-fail: 20.4
#include "exercise.h"

int draw(Matrix p, float uniform)
{
    int best = 0;
    (void)uniform;
    for (int i = 0; i < p.cols; i++) {
        if (p.data[i] > p.data[best]) best = i;
    }
    return best;
}
