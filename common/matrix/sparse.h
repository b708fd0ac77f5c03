// sparse.h: matrices most of whose elements are 0, by rows (compressed sparse rows): row i holds value[k] in column[k] for
// k from start[i] to start[i + 1] − 1.
//
//     Sparse adjacency = sparse_new(arena, nodes, nodes, edges, from, to, NULL);   // NULL: all values are 1
//     sparse_matmul(out, adjacency, features);
//
// Used for: graphs (15), choosing and adding up rows (22, 23). The taped product is in learning/ops/graph.h.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    int rows, cols, count; // count: of the elements that are held
    const int *start;      // rows + 1 of them
    const int *column;     // within a row in ascending order
    const float *value;
} Sparse;

// From a list of count elements in any order: element k is values[k] (NULL: 1) in row[k] and column[k]. What is given twice is
// added up, in the order of the list. The lists are copied. Takes time in proportion to count, rows and columns.
#define sparse_new(arena, rows, cols, count, row, column, values)                                            \
    sparse_new_at(HERE, arena, rows, cols, count, row, column, values)
Sparse sparse_new_at(Place place, Arena *arena, int rows, int cols, int count, const int *row,
                     const int *column, const float *values);

#define sparse_transpose(arena, s) sparse_transpose_at(HERE, arena, s)
Sparse sparse_transpose_at(Place place, Arena *arena, Sparse s);

// out (rows × C) = s · m, m (cols × C). Each output is one chain of fused multiply-adds in the order of the columns, whatever the
// number of threads.
#define sparse_matmul(out, s, m)     sparse_matmul_at(HERE, out, s, m, false)
#define sparse_matmul_add(out, s, m) sparse_matmul_at(HERE, out, s, m, true) // out += s · m
void sparse_matmul_at(Place place, Matrix out, Sparse s, Matrix m, bool accumulate);

// The same numbers with all zeros, for tests and small pictures.
#define sparse_to_matrix(arena, s) sparse_to_matrix_at(HERE, arena, s)
Matrix sparse_to_matrix_at(Place place, Arena *arena, Sparse s);
