// 9.4-bend-over-the-road.c: max(0, h + branch): the input is bent too.
// expect-fail: 9.4
#include "exercise.h"
#include <math.h>

void tower_forward(Matrix h, Matrix w)
{
    Arena *arena = arena_new();
    Matrix normal = matrix_new(arena, h.rows, h.cols), f = matrix_new(arena, h.rows, h.cols);
    for (int layer = 0; layer < w.rows / w.cols; layer++) {
        normalise(normal, h);
        matmul(f, normal, matrix_rows(w, layer * h.cols, h.cols));
        add(h, h, f);
        for (size_t i = 0; i < matrix_size(h); i++) h.data[i] = fmaxf(0.0f, h.data[i]);
    }
    arena_free(arena);
}
