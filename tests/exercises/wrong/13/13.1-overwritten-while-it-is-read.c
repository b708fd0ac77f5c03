// 13.1-overwritten-while-it-is-read.c: the second element of the next state is computed from the new first.
// expect-fail: 13.1
// and therefore: 13.2
#include "exercise.h"

float state_step(Matrix x, Matrix a, Matrix b, Matrix c, float d, float u)
{
    float y = d * u;
    for (int i = 0; i < x.rows; i++) y += c.data[i] * x.data[i];
    for (int i = 0; i < x.rows; i++) {
        float next = b.data[i] * u;
        for (int j = 0; j < x.rows; j++) next += AT(a, i, j) * x.data[j];
        x.data[i] = next;
    }
    return y;
}
