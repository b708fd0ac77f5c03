// 20.4-at-least.c: draws where the sum is at least uniform.
// expect-fail: 20.4
#include "exercise.h"

int draw(Matrix p, float uniform)
{
    double total = 0.0;
    int possible = 0;
    for (int i = 0; i < p.cols; i++) {
        total += (double)p.data[i];
        if (p.data[i] > 0.0f) possible = i;
        if (total >= (double)uniform) return i;
    }
    return possible;
}
