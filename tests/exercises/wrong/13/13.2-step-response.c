// 13.2-step-response.c: the 1 stays on.
// expect-fail: 13.2
#include "exercise.h"

void impulse_response(Matrix g, Matrix a, Matrix b, Matrix c, float d)
{
    float state[MAX_STATES] = {0.0f};
    Matrix x = matrix_view(a.rows, 1, state);
    for (int k = 0; k < g.rows; k++) g.data[k] = state_step(x, a, b, c, d, 1.0f);
}
