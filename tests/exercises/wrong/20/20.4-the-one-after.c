// 20.4-the-one-after.c: the token after the right one.
// expect-fail: 20.4
#include "exercise.h"

int draw(Matrix p, float uniform)
{
    double total = 0.0;
    int possible = 0;
    for (int i = 0; i < p.cols; i++) {
        total += (double)p.data[i];
        if (p.data[i] > 0.0f) possible = i;
        if (total > (double)uniform) return i + 1 < p.cols ? i + 1 : i;
    }
    return possible;
}
