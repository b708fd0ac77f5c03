// 13.5-largest-on-the-diagonal.c: right for triangles only.
// expect-fail: 13.5
#include "exercise.h"
#include <math.h>

float radius(Matrix a)
{
    float most = 0.0f;
    for (int i = 0; i < a.rows; i++) most = fmaxf(most, fabsf(AT(a, i, i)));
    return most;
}
