// 16.4-sigmoid.c: p (1 − p) d_p: every weight as if it were alone.
// expect-fail: 16.4
// and therefore: 16.5
#include "exercise.h"

void attention_softmax_gradient(Matrix d_s, Matrix d_p, Matrix p)
{
    for (int i = 0; i < p.rows; i++) {
        float average = 0.0f;
        for (int j = 0; j < p.cols; j++) average += AT(p, i, j) * AT(d_p, i, j);
        for (int j = 0; j < p.cols; j++) AT(d_s, i, j) = AT(p, i, j) * (1.0f - AT(p, i, j)) * AT(d_p, i, j);
    }
}
