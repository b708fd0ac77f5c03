// 13.2-one-power-too-many.c: c·aᵏ·b in the place of c·aᵏ⁻¹·b.
// expect-fail: 13.2
#include "exercise.h"

void impulse_response(Matrix g, Matrix a, Matrix b, Matrix c, float d)
{
    float state[MAX_STATES];
    Matrix x = matrix_view(a.rows, 1, state);
    copy(x, b);
    state_step(x, a, b, c, 0.0f, 0.0f);
    g.data[0] = d;
    for (int k = 1; k < g.rows; k++) g.data[k] = state_step(x, a, b, c, 0.0f, 0.0f);
}
