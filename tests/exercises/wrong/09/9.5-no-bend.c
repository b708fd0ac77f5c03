// 9.5-no-bend.c: silent units hand the gradient down too.
// expect-fail: 9.5
#include "exercise.h"

void tower_gradient(Matrix d, Matrix x, Matrix w)
{
    Arena *arena = arena_new();
    int layers = w.rows / w.cols;
    Matrix entered = matrix_new(arena, layers * x.rows, x.cols), h = matrix_copy(arena, x);
    Matrix normal = matrix_new(arena, x.rows, x.cols), f = matrix_new(arena, x.rows, x.cols);
    Matrix d_normal = matrix_new(arena, x.rows, x.cols), d_h = matrix_new(arena, x.rows, x.cols);
    for (int layer = 0; layer < layers; layer++) {
        copy(matrix_rows(entered, layer * x.rows, x.rows), h);
        branch(f, normal, h, w, layer);
        add(h, h, f);
    }
    for (int layer = layers - 1; layer >= 0; layer--) {
        Matrix entering = matrix_rows(entered, layer * x.rows, x.rows);
        branch(f, normal, entering, w, layer);
        for (size_t i = 0; i < matrix_size(f); i++) f.data[i] = d.data[i];
        matmul_nt(d_normal, f, matrix_rows(w, layer * x.cols, x.cols));
        normalise_gradient(d_h, d_normal, entering);
        add(d, d, d_h);
    }
    arena_free(arena);
}
