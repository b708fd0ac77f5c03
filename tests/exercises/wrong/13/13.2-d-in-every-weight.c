// 13.2-d-in-every-weight.c: adds d to all of the kernel.
// expect-fail: 13.2
#include "exercise.h"

void impulse_response(Matrix g, Matrix a, Matrix b, Matrix c, float d)
{
    float state[MAX_STATES] = {0.0f};
    Matrix x = matrix_view(a.rows, 1, state);
    for (int k = 0; k < g.rows; k++) g.data[k] = d + state_step(x, a, b, c, 0.0f, k == 0 ? 1.0f : 0.0f);
}
