// 9.4-one-layer-left-out.c: off by one.
// expect-fail: 9.4
#include "exercise.h"
#include <math.h>

void tower_forward(Matrix h, Matrix w)
{
    Arena *arena = arena_new();
    Matrix normal = matrix_new(arena, h.rows, h.cols), f = matrix_new(arena, h.rows, h.cols);
    for (int layer = 0; layer < w.rows / w.cols - 1; layer++) {
        normalise(normal, h);
        matmul(f, normal, matrix_rows(w, layer * h.cols, h.cols));
        for (size_t i = 0; i < matrix_size(f); i++) f.data[i] = fmaxf(0.0f, f.data[i]);
        add(h, h, f);
    }
    arena_free(arena);
}
