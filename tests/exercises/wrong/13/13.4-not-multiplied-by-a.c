// 13.4-not-multiplied-by-a.c: the gradient of a later state comes back unchanged.
// expect-fail: 13.4
#include "exercise.h"

void gradient_through_time(Matrix gradient, Matrix u, Matrix target, float a, float b)
{
    Arena *arena = arena_new();
    int steps = u.rows;
    double *x = arena_zeros(arena, (size_t)steps, sizeof *x), adjoint = 0.0, d_a = 0.0, d_b = 0.0;
    for (int t = 1; t < steps; t++) x[t] = (double)a * x[t - 1] + (double)b * (double)u.data[t - 1];
    for (int t = steps - 1; t >= 0; t--) {
        d_a += adjoint * x[t];
        d_b += adjoint * (double)u.data[t];
        adjoint = adjoint + 2.0 * (x[t] - (double)target.data[t]) / steps;
    }
    gradient.data[0] = (float)d_a;
    gradient.data[1] = (float)d_b;
    arena_free(arena);
}
