// 13.2-d-forgotten.c: the kernel begins with c·b.
// expect-fail: 13.2
#include "exercise.h"

void impulse_response(Matrix g, Matrix a, Matrix b, Matrix c, float d)
{
    (void)d;
    float state[MAX_STATES];
    Matrix x = matrix_view(a.rows, 1, state);
    copy(x, b);
    for (int k = 0; k < g.rows; k++) g.data[k] = state_step(x, a, b, c, 0.0f, 0.0f);
}
