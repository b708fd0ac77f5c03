// Exercises of chapter 14, LSTM: what each task takes and gives back. Do not edit: write in exercise.c.
//
// B sequences, H hidden numbers, K characters. Outputs are overwritten, whatever they held, unless it is said that they hold
// something. In 14.2 and 14.3 the sums z (B × 4H) of a gated recurrent unit stand in four blocks of H columns, in this order: reset
// gate r, update gate u, what the candidate gets from the input, what it gets from the state before:
//     r = σ(z₀)    u = σ(z₁)    n = tanh(z₂ + r ⊙ z₃)    state after = (1 − u) ⊙ n + u ⊙ state before
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 14.1  The bias at which a forget gate, whose sum is the bias alone, halves the cell in so many steps
// (steps > 0; to 1e-4 of the reference, also for 10 000 steps).
float forget_bias(float steps);

// TASK 14.2  One step of a GRU from its sums. h (B × H) holds the state before and receives the one after.
void gru_step(/* in/out */ Matrix h, Matrix z);

// TASK 14.3  Its gradient. d_h (B × H) holds the gradient of the state after, and receives that part of the gradient of the state
// before which does not go through the sums; d_z (B × 4H) receives the gradient of the sums. h (B × H) is the state before.
void gru_step_gradient(/* out */ Matrix d_z, /* in/out */ Matrix d_h, Matrix h, Matrix z);

// TASK 14.4  Clips a gradient: scales all of g so that the root of its sum of squares is at most limit (> 0),
// and leaves it alone when it already is. Elements may be as large as 1e30. A g with an infinite element or a
// NaN has no finite length: it stays as it is, so that everyone can see it.
void clip(/* in/out */ Matrix g, float limit);

// TASK 14.5  A bigram model by Witten and Bell. counts (K × K) says how often character j followed character
// i. p (K × K) receives P(j | i) = (count_ij + d_i P(j)) / (total_i + d_i), and P(j) itself is mixed with 1/K
// in the same way: from how often j followed anything, and how many different characters followed anything. A
// row without counts becomes P(j). At least one count is not 0.
void witten_bell(/* out */ Matrix p, Matrix counts);
