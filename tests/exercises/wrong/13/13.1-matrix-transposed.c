// 13.1-matrix-transposed.c: columns of a in the place of rows.
// expect-fail: 13.1
// and therefore: 13.2
#include "exercise.h"

float state_step(Matrix x, Matrix a, Matrix b, Matrix c, float d, float u)
{
    float next[MAX_STATES], y = d * u;
    for (int i = 0; i < x.rows; i++) {
        y += c.data[i] * x.data[i];
        next[i] = b.data[i] * u;
        for (int j = 0; j < x.rows; j++) next[i] += AT(a, j, i) * x.data[j];
    }
    for (int i = 0; i < x.rows; i++) x.data[i] = next[i];
    return y;
}
