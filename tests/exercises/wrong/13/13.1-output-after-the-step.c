// 13.1-output-after-the-step.c: reads the output from the next state.
// expect-fail: 13.1
// and therefore: 13.2
#include "exercise.h"

float state_step(Matrix x, Matrix a, Matrix b, Matrix c, float d, float u)
{
    float next[MAX_STATES], y = d * u;
    for (int i = 0; i < x.rows; i++) {
        next[i] = b.data[i] * u;
        for (int j = 0; j < x.rows; j++) next[i] += AT(a, i, j) * x.data[j];
    }
    for (int i = 0; i < x.rows; i++) x.data[i] = next[i];
    for (int i = 0; i < x.rows; i++) y += c.data[i] * x.data[i];
    return y;
}
