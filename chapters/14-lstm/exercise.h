// Exercises of chapter 14, LSTM: what each task takes and gives back. Do not edit: write in exercise.c.
//
// B sequences, H hidden numbers, K characters. Pre-activations z (B × 4H) stand in the order i, f, g,
// o: columns 0 … H − 1 are those of the input gate. Outputs are overwritten, whatever they held, unless it is
// said that they hold something.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 14.1  The bias at which a forget gate, whose sum is the bias alone, halves the cell in so many steps
// (steps > 0; to 1e-4 of the reference, also for 10 000 steps).
float forget_bias(float steps);

// TASK 14.2  One step of an LSTM from its sums: z (B × 4H). c (B × H) holds the cell before and receives the
// one after; h (B × H) receives the hidden state.
void cell_step(/* out */ Matrix h, /* in/out */ Matrix c, Matrix z);

// TASK 14.3  Its gradient. d_c (B × H) holds the gradient of the cell after, without the part through h, and
// receives that of the cell before; d_h (B × H) is the gradient of h; c (B × H) is the cell before, z (B ×
// 4H) the sums; d_z (B × 4H) receives the gradient of the sums.
void cell_step_gradient(/* out */ Matrix d_z, /* in/out */ Matrix d_c, Matrix d_h, Matrix c, Matrix z);

// TASK 14.4  Clips a gradient: scales all of g so that the root of its sum of squares is at most limit (> 0),
// and leaves it alone when it already is. Elements may be as large as 1e30. A g with an infinite element or a
// NaN has no finite length: it stays as it is, so that everyone can see it.
void clip(/* in/out */ Matrix g, float limit);

// TASK 14.5  A bigram model by Witten and Bell. counts (K × K) says how often character j followed character
// i. p (K × K) receives P(j | i) = (count_ij + d_i P(j)) / (total_i + d_i), and P(j) itself is mixed with 1/K
// in the same way: from how often j followed anything, and how many different characters followed anything. A
// row without counts becomes P(j). At least one count is not 0.
void witten_bell(/* out */ Matrix p, Matrix counts);
