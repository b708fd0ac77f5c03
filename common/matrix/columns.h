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

// Both at once, where a_i counts as 0 wherever active_i is not positive (active.data NULL: all count):
// sum (1 × C) += Σ_i a_i and dot (1 × C) += Σ_i a_i ⊙ (b_i − centre)
void add_active_sums(Matrix sum, Matrix dot, Matrix a, Matrix active, Matrix b, Matrix centre);

// mean and variance (1 × C) of the columns of a (N × C), N ≥ 1, the latter the mean squared distance from the mean: no
// difference of large numbers, and no sum of them, so that a column of equal numbers has them as its mean and 0 as its
// variance, wherever they lie. Each chunk is read twice while it is in the cache, and its own mean is taken off; Chan,
// Golub and LeVeque, The American Statistician 37, 1983, join the chunks.
void column_moments(Matrix mean, Matrix variance, Matrix a);

// The same with the mean as two numbers, mean + rest: rest (1 × C) is what rounding to a float leaves. Of numbers that
// lie close together far from 0 it may be as large as their distances.
void column_moments_in_two(Matrix mean, Matrix rest, Matrix variance, Matrix a);
