// Exercises of chapter 6, MLP and backpropagation: what each task takes and gives back. Do not edit: write in exercise.c.
//
// N examples, D inputs, H hidden units, K classes, each at least 1; H and K are at most MAX_UNITS.
// labels (N × 1) holds the class of each example as a float: 0, 1, …, K − 1. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_UNITS = 64 };

// TASK 6.1  The hidden layer: h = max(0, x·w + b).
// h (N × H), x (N × D), w (D × H), b (1 × H)
void mlp_hidden(/* out */ Matrix h, Matrix x, Matrix w, Matrix b);

// TASK 6.2  From scores to the gradient at the output: d_z = (softmax(z) − one-hot(label)) / N, each row by itself.
// d_z (N × K), z (N × K), labels (N × 1). Scores may be as large as ±10⁴: nothing may overflow.
void mlp_output_gradient(/* out */ Matrix d_z, Matrix z, Matrix labels);

// TASK 6.3  The error, carried back to the hidden units and through the activation: d_a = (d_z · wᵀ) ⊙ [h > 0].
// d_a (N × H), d_z (N × K), w (H × K), h (N × H)
void mlp_hidden_gradient(/* out */ Matrix d_a, Matrix d_z, Matrix w, Matrix h);

// TASK 6.4  The gradients of all four parts of the network, for the mean cross-entropy over the N examples.
// d_w1 and w1 (D × H), d_b1 and b1 (1 × H), d_w2 and w2 (H × K), d_b2 and b2 (1 × K), x (N × D), labels (N × 1)
void mlp_gradients(/* out */ Matrix d_w1, /* out */ Matrix d_b1, /* out */ Matrix d_w2, /* out */ Matrix d_b2,
                   Matrix x, Matrix labels, Matrix w1, Matrix b1, Matrix w2, Matrix b2);

// TASK 6.5  Training, to be measured: steps times descend with this rate on all examples at once. The four parts hold the
// start and receive the end. From a random start on XOR, 2000 steps at rate 0.5 must bring the loss below 0.01.
// Time: 5 s for each test.
void mlp_train(/* in/out */ Matrix w1, /* in/out */ Matrix b1, /* in/out */ Matrix w2, /* in/out */ Matrix b2,
               Matrix x, Matrix labels, float rate, int steps);
