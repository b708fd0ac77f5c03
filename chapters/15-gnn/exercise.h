// Exercises of chapter 15, Graph networks: what each task takes and gives back. Do not edit: write in exercise.c.
//
// A graph of N nodes is a matrix w (N × N) of weights: w_ij ≥ 0 is the weight of the edge from j to i, 0 where there
// is none. Row i says whom node i hears. w need not be symmetric, and w_ii may be positive. N is at most MAX_NODES,
// columns at most MAX_COLUMNS. Outputs are overwritten, whatever they held, and are never an input.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_NODES = 64, MAX_COLUMNS = 32 };

// TASK 15.1  Each row of out (N × C) is the mean of the rows x_j (N × C) that node i hears, weighted by w_ij. A node
// that hears nobody keeps its row of x.
void neighbour_mean(/* out */ Matrix out, Matrix w, Matrix x);

// TASK 15.2  Labels spread: known (N × K) holds a row of zeros for a node whose label is not known, else a 1 in its
// column. f (N × K) begins as known. In each of so many steps ≥ 0 every f_i becomes the weighted mean of task 15.1 of
// the f of the step before; then the nodes whose label is known get their row of known back.
void spread_labels(/* out */ Matrix f, Matrix w, Matrix known, int steps);

// TASK 15.3  Message passing with a maximum: out_ic (N × C) is the largest x_jc over all j with w_ij > 0, whatever
// the weight, and 0 where node i hears nobody. source_ic (N × C) receives the number of the j that it came from, the
// smallest of several, and −1 where there is none.
void neighbour_maximum(/* out */ Matrix out, /* out */ Matrix source, Matrix w, Matrix x);

// TASK 15.4  Its way back: the gradient d_x (N × C) of x, from d_out (N × C) and the source that task 15.3 gave.
void neighbour_maximum_gradient(/* out */ Matrix d_x, Matrix d_out, Matrix source);

// TASK 15.5  Attention over a graph: node i weighs each j with w_ij > 0, whatever the weight, by the softmax over
// these of the scores s_ij (N × N), which may be as large as ±10 000; out (N × C) is the weighted sum of the rows v_j
// (N × C), zeros where node i hears nobody.
void graph_attention(/* out */ Matrix out, Matrix w, Matrix s, Matrix v);
