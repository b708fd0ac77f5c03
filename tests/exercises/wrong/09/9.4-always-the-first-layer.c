// 9.4-always-the-first-layer.c: every layer uses the weights of the first.
// expect-fail: 9.4
#include "exercise.h"
#include <math.h>

void tower_forward(Matrix h, Matrix w)
{
    Arena *arena = arena_new();
    Matrix normal = matrix_new(arena, h.rows, h.cols), f = matrix_new(arena, h.rows, h.cols);
    for (int layer = 0; layer < w.rows / w.cols; layer++) {
        normalise(normal, h);
        matmul(f, normal, matrix_rows(w, 0 * h.cols, h.cols));
        for (size_t i = 0; i < matrix_size(f); i++) f.data[i] = fmaxf(0.0f, f.data[i]);
        add(h, h, f);
    }
    arena_free(arena);
}
