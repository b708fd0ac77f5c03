// Exercises of chapter 33, Many machines: what each task takes and gives back. Do not edit: write in exercise.c.
//
// n machines, d weights in each one's model, p processes. Whole numbers stand in matrices of float. What is only written
// (out) is overwritten, whatever it held, and is never the memory of an input.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 33.1  The Metropolis weights of a graph. edges(i, j) is 1 where the machines i ≠ j are joined and 0 where they are
// not; it is symmetric. What stands on its diagonal does not count, whatever it is: no machine is its own neighbour.
// weights(i, j) receives 1 / (1 + the larger of the degrees of i and j) on an edge, 0 where there is none, and
// weights(i, i) what is missing to 1 in its row. A machine without neighbours keeps all: 1.
// weights, edges (n × n), n ≥ 1
void metropolis_weights(/* out */ Matrix weights, Matrix edges);

// TASK 33.2  A step of gradient tracking, for losses whose gradients are ∇f_i(x) = H_i x − b_i:
//   x_new_i = Σ_j W_ij x_j − rate · y_i,     y_new_i = Σ_j W_ij y_j + ∇f_i(x_new_i) − ∇f_i(x_i).
// Do you need to know the b_i? The rows of hessians from i · d to i · d + d − 1 are H_i, which is symmetric. The weights need
// not be. x, y, x_new, y_new (n × d), weights (n × n), hessians (n · d × d)
void tracking_step(/* out */ Matrix x_new, /* out */ Matrix y_new, Matrix x, Matrix y, Matrix weights,
                   Matrix hessians, float rate);

// TASK 33.3  One round of an all-reduce on a ring of p processes, whose numbers are cut into p pieces. In every round
// process r sends one piece to r + 1 and receives one from r − 1, the last being the first one's neighbour. In round 0 it
// sends piece r, and in each later round the piece that it received in the round before. What is received is added in
// the rounds 0 … p − 2, and copied in the rounds p − 1 … 2p − 3. Row r of plan receives three numbers: the piece that r
// sends, the piece that it receives, and 1 where that is added and 0 where it is copied.
// plan (p × 3), p ≥ 2; 0 ≤ round ≤ 2p − 3
void ring_round(/* out */ Matrix plan, int round);

// TASK 33.4  A sum whose order does not depend on how many processes take part. The sum of one row is the row. The sum of
// more is the sum of the first rows plus the sum of the others, where the first rows are as many as the largest power of
// two that is less than all: of 8 they are 4, of 7 are 4, of 9 are 8. Each + is one of floats, and the bits of total must be
// those that come of it. parts (k × n), total (1 × n), k ≥ 1
void tree_sum(/* out */ Matrix total, Matrix parts);

// TASK 33.5  How long does an all-reduce of so many bytes take? A message of m bytes takes latency + m / bandwidth
// seconds. times receives those of the tree (2 log₂ p rounds of all bytes), of the ring (2(p − 1) rounds of a p-th of them) and
// of halving (of log₂ p rounds the first sends a half, the next a quarter, …, and then the same backwards).
// Returns how many bytes tree and ring need equal times for; 0 where the ring is never slower, which is so for p = 1 and 2.
// times (1 × 3), all 0 for p = 1; p = processes is a power of two up to 4096
float all_reduce_times(/* out */ Matrix times, int processes, float bytes, float latency, float bandwidth);
