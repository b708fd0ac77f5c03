// columns.h: sums down the columns of tall matrices, for the gradients of biases and gains. Not for lessons,
// which call column_sums; this one adds, in single precision, and asks for no memory.
//
// The order is fixed: rows are cut into chunks whose size depends on their number alone, a chunk is summed in
// four lanes (rows 0, 4, 8, … then 1, 5, 9, …), and the chunks are added in order.
#pragma once
#include "matrix/matrix.h"

// d (1 × C) += Σ_i a_i; a (N × C)
void add_column_sums(Matrix d, Matrix a);

// d (1 × C) += Σ_i a_i ⊙ b_i; a, b (N × C)
void add_column_dots(Matrix d, Matrix a, Matrix b);

// d (1 × C) += Σ_i a_i ⊙ (b_i − centre); centre (1 × C)
void add_centred_dots(Matrix d, Matrix a, Matrix b, Matrix centre);

// d (1 × C) += Σ_i (a_i − centre)²; centre (1 × C)
void add_centred_squares(Matrix d, Matrix a, Matrix centre);
