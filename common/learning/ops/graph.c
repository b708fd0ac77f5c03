// graph.c: see graph.h.
#include "learning/ops/graph.h"

#include <string.h>

SparseOperator sparse_operator_at(Place place, Arena *arena, Sparse s)
{
    return (SparseOperator){s, sparse_transpose_at(place, arena, s)};
}

static void sparse_product_step(Tensor *self)
{
    // y = S x: d_x += Sᵀ d_y
    const SparseOperator *s = *(const SparseOperator *const *)self->context;
    bool accumulate;
    Matrix d_x = tensor_gradient_raw(self->inputs[0], &accumulate);
    if (d_x.data) sparse_matmul_at(HERE, d_x, s->backward, self->gradient, accumulate);
}

Tensor *sparse_product_at(Place place, const SparseOperator *s, Tensor *x)
{
    check_at(place, x->value.rows == s->forward.cols, "one row of x for each column of the sparse matrix",
             "sparse_product: (%d × %d) · (%d × %d)", s->forward.rows, s->forward.cols, x->value.rows,
             x->value.cols);
    Tensor *y = tensor_node(place, "sparse_product", s->forward.rows, x->value.cols, sparse_product_step,
                            sizeof s, 1, x);
    memcpy(y->context, &s, sizeof s);
    sparse_matmul(y->value, s->forward, x->value);
    return y;
}

Tensor *segment_sums_at(Place place, Tensor *x, const int *ids, int count)
{
    const int rows = x->value.rows;
    check_at(place, x->tape, "take tape_parameter of it", "segment_sums: x is a parameter on no tape");
    for (int i = 0; i < rows; i++)
        check_at(place, ids[i] >= 0 && ids[i] < count, "ids are counted from 0",
                 "segment_sums: id %d (row %d) of %d segments", ids[i], i, count);
    Arena *arena = tape_arena(x->tape);
    int *own = arena_alloc_at(place, arena, (size_t)rows, sizeof *own);
    for (int i = 0; i < rows; i++) own[i] = i;
    SparseOperator *s = arena_alloc_at(place, arena, 1, sizeof *s);
    *s = sparse_operator_at(place, arena, sparse_new_at(place, arena, count, rows, rows, ids, own, NULL));
    Tensor *y = sparse_product_at(place, s, x);
    y->operation = "segment_sums";
    return y;
}
