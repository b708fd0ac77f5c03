// 9.4-no-bend.c: the branch is linear.
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
    }
    arena_free(arena);
}
