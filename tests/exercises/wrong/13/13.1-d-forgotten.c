// 13.1-d-forgotten.c: the output does not see the input at once.
// expect-fail: 13.1
// and therefore: 13.2
#include "exercise.h"

float state_step(Matrix x, Matrix a, Matrix b, Matrix c, float d, float u)
{
    (void)d;
    float next[MAX_STATES], y = 0.0f;
    for (int i = 0; i < x.rows; i++) {
        y += c.data[i] * x.data[i];
        next[i] = b.data[i] * u;
        for (int j = 0; j < x.rows; j++) next[i] += AT(a, i, j) * x.data[j];
    }
    for (int i = 0; i < x.rows; i++) x.data[i] = next[i];
    return y;
}
