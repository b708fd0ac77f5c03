// graph.h: products with a constant sparse matrix, and sums of rows that belong together.
//
// Used for: graph networks (15), where the sparse matrix holds who is whose neighbour, and for putting patches back in
// their places (22, 23). To choose rows, see embedding in linear.h: its table may be any tensor.
//
// Shapes: S (M × N), x (N × C), y (M × C). Every sum has one order, whatever the number of threads.
#pragma once
#include "learning/tensor.h"
#include "matrix/sparse.h"

// A sparse matrix for the tape: the backward needs the transpose, which is made once.
typedef struct {
    Sparse forward, backward;
} SparseOperator;

#define sparse_operator(arena, s) sparse_operator_at(HERE, arena, s) // holds s, whose lists must live as long
SparseOperator sparse_operator_at(Place place, Arena *arena, Sparse s);

// y = S · x. The operator must live until backward.
#define sparse_product(s, x) sparse_product_at(HERE, s, x)
Tensor *sparse_product_at(Place place, const SparseOperator *s, Tensor *x);

// y_k = Σ of the rows x_i with ids_i = k: x (N × C), N ids in 0 … count − 1, y (count × C). Rows that nobody names are 0, so
// this also scatters: distinct ids put each row in its place. The ids are copied.
#define segment_sums(x, ids, count) segment_sums_at(HERE, x, ids, count)
Tensor *segment_sums_at(Place place, Tensor *x, const int *ids, int count);
