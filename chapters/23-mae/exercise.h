// Exercises of chapter 23, MAE: what each task takes and gives back. Do not edit: write in exercise.c.
//
// B images of P patches each, of which the encoder sees V, 1 ≤ V ≤ P; the other P − V are masked. Lists of whole numbers are
// matrices: row b is that of image b. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 23.1  Which patches are seen: the V with the smallest noise, the smallest first; of equal ones the first in the row comes
// first. This is how the authors of MAE draw a mask of exactly V patches: noise is uniform, and whoever has the least is seen.
// seen (B × V) ← positions 0 … P − 1, noise (B × P)
void least_noise(/* out */ Matrix seen, Matrix noise);

// TASK 23.2  The way back. Token b · V + k is what the encoder made of patch seen(b, k) of image b. For every patch: which token
// belongs there, or B · V when it was masked.
// source (B × P), seen (B × V) with V different positions in each row
void way_back(/* out */ Matrix source, Matrix seen);

// TASK 23.3  Row b · P + p of the decoder's input is row source(b, p) of the table that has the B · V tokens first and the mask
// token as its last row, number N = B · V. Given the gradient of the input, the gradient of the table.
// d_table (N + 1 × C), d_input (B·P × C), source (B × P)
void table_gradient(/* out */ Matrix d_table, Matrix d_input, Matrix source);

// TASK 23.4  The mean squared error over the numbers of all masked patches, and its gradient, which is 0 where a patch was seen.
// Where nothing is masked the loss is 0. Returns the loss. d_prediction, prediction and target (B·P × D): row b · P + p is
// patch p of image b; source (B × P) as 23.2 makes it, tokens = B · V.
float loss_of_masked(/* out */ Matrix d_prediction, Matrix prediction, Matrix target, Matrix source,
                     int tokens);

// TASK 23.5  How many times more multiply-adds a block takes for all P patches than for V of them. Of width C and feed-forward
// width H, for each of its T tokens: queries, keys, values and output 4 · C · C, two layers 2 · C · H, and attention
// T · C for the scores and T · C for the weighted sum.
float cost_of_seeing_all(int patches, int visible, int width, int hidden);
