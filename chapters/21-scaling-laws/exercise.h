// Exercises of chapter 21, Money is all you need: scaling: what each task takes and gives back. Do not edit: write in exercise.c.
//
// N parameters, D tokens of training, C the width. Lists of numbers are matrices (1 × K). Numbers here may be larger than an int
// can hold: 1.75e11 parameters, 3e23 FLOP. Compute with doubles; what is given back is a float.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_POINTS = 64 };

// TASK 21.1  How many parameters a decoder of the Llama kind has. No biases; norms have a gain of C numbers only: two in each layer
// and one at the end. Heads are width / heads wide. A layer holds the weights for the queries of all heads, for the keys and for
// the values of key_heads heads, and from all heads back to C; then three matrices between C and hidden (SwiGLU has a gate).
// Two tables of vocabulary rows, below and above.
float decoder_parameters(int layers, int width, int heads, int key_heads, int hidden, int vocabulary);

// TASK 21.2  FLOP of training, forwards and backwards, on one sequence of time tokens, for chapter 21's decoder (hidden layer 4C
// wide, as many key heads as heads) with a window: a position sees itself and the positions before it, but not more than window
// in all (Mistral; 1 ≤ window). As in the chapter, count only products of matrices, and a multiply-add as 2 FLOP; the lower
// table multiplies nothing.
float training_flop(int layers, int width, int vocabulary, int time, int window);

// TASK 21.3  The best a and c of the law L = a N^−b + c for a given b > 0, where point i counts weights(i) > 0 times (the number of
// seeds behind its mean): law (1 × 2) ← a, c. A loss has no floor below 0: when the best c is negative, c = 0 and a is the best
// for that. Returns the weighted sum of squares. n, loss and weights (1 × K), 2 ≤ K ≤ MAX_POINTS; N from 1000 to 1e12, not all equal.
float fit_floor(/* out */ Matrix law, Matrix n, Matrix loss, Matrix weights, float b);

// TASK 21.4  The best size for one budget, from networks of different sizes that all cost the same FLOP to train (Hoffmann and
// others 2022, approach 2): put the parabola of the least squares through the losses, as a function of ln N, and return the N
// of its lowest point. When the parabola does not open upwards, or its lowest point lies outside the sizes that were tried,
// nothing was found: return 0. n and loss (1 × K), 3 ≤ K ≤ MAX_POINTS, at least three different N from 1000 to 1e12.
float isoflop_best(Matrix n, Matrix loss);

// TASK 21.5  A model is not only trained, it is also used: 6 N D FLOP for training on D tokens, and 2 N for each token that it will
// read or write afterwards. Of all pairs of N and D that reach a loss of `target` by the surface L = E + A/N^alpha + B/D^beta, which
// N has the smallest total cost when `served` ≥ 0 tokens are to be served? Within 1 %. When no N from 1e3 to 1e15 reaches the
// target with any finite D: 0. surface (1 × 5): E, A, alpha, B, beta, all > 0. The best N is between 1e3 and 1e15.
float cheapest_size(Matrix surface, float target, float served);
