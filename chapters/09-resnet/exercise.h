// Exercises of chapter 9, Deep is hard: what each task takes and gives back. Do not edit: write in exercise.c.
//
// N rows (examples), C columns (features), at most MAX_FEATURES. A stack of L layers keeps its weights one below the other:
// w (L·C × C) holds the matrix of layer l in the rows l·C … l·C + C − 1. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_FEATURES = 64 };

// TASK 9.1  The gain that keeps the mean square of a signal for leaky ReLU, x ↦ x above 0 and slope · x below (0 ≤ slope ≤ 1):
// weights of deviation gain / √n, inputs as often positive as negative. For slope 0 it is √2.
float keeping_gain(float slope);

// TASK 9.2  Layer normalisation of each row: y = (x − mean) / √(variance + 1e-5), the variance with 1/C.
// y and x (N × C)
void normalise(/* out */ Matrix y, Matrix x);

// TASK 9.3  Its derivative, to be measured: overwrites d_x (N × C) from the gradient d_y (N × C) and the input x (N × C).
// Rows may lie far from zero (1000 ± 1): every element within 1e-3 of the reference, relative to the largest.
void normalise_gradient(/* out */ Matrix d_x, Matrix d_y, Matrix x);

// TASK 9.4  A stack of normalised residual layers: for each layer, h ← h + max(0, normalise(h) · w_l). No bias.
// h (N × C) holds the input and receives the output; w (L·C × C)
void stack_forward(/* in/out */ Matrix h, Matrix w);

// TASK 9.5  The gradient of the stack's input. d (N × C) holds the gradient of the output and receives that of the input;
// x (N × C) is the input of the stack, w (L·C × C). L is at most 16 and N at most 32.
void stack_gradient(/* in/out */ Matrix d, Matrix x, Matrix w);
