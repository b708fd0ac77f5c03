// Exercises of chapter 13, An RNN is a linear system is a convolution: what each task takes and gives back. Do not edit:
// write in exercise.c.
//
// n states, at most MAX_STATES; one input, one output: a (n × n), b (n × 1), c (1 × n), d. Outputs are overwritten,
// whatever they held; what is only read must not change.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_STATES = 16 };

// TASK 13.1  One step of x' = a·x + b·u, y = c·x + d·u. Returns y; x (n × 1) holds the state and receives the next one.
float state_step(/* in/out */ Matrix x, Matrix a, Matrix b, Matrix c, float d, float u);

// TASK 13.2  Two systems in a row as one: what comes out of the first, in the same step, goes into the second. Writes a (n × n),
// b (n × 1), c (1 × n) and d (1 × 1) of the whole. Its n = n_1 + n_2 states are those of the first, then those of the second.
void in_series(/* out */ Matrix a, /* out */ Matrix b, /* out */ Matrix c, /* out */ Matrix d, Matrix a_1,
               Matrix b_1, Matrix c_1, float d_1, Matrix a_2, Matrix b_2, Matrix c_2, float d_2);

// TASK 13.3  Two maps in a row as one: first x ↦ a_1·x + b_1, then x ↦ a_2·x + b_2. Writes a (n × n) and b (n × 1) of
// x ↦ a·x + b that does both.
void compose(/* out */ Matrix a, /* out */ Matrix b, Matrix a_1, Matrix b_1, Matrix a_2, Matrix b_2);

// TASK 13.4  Backpropagation through time for one state: x_0 = 0, x_(t+1) = a x_t + b u_t, y_t = x_t, and the loss is the
// mean over all T steps of (y_t − target_t)². u and target (T × 1). Writes d_loss/d_a and d_loss/d_b to gradient (2 × 1).
void gradient_through_time(/* out */ Matrix gradient, Matrix u, Matrix target, float a, float b);

// TASK 13.5  The spectral radius of a (n × n), to be measured: within 1 % for any a whose spectral radius lies between
// 1e-3 and 1e3, also where the largest eigenvalues are a complex pair. 0 when a power of a is zero.
float radius(Matrix a);
