// Exercises of chapter 7, autograd: what each task takes and gives back. Do not edit: write in exercise.c.
//
// Where it says "adds to", a gradient may already hold something, and the answer is added to it.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 7.1  One line of the tape, for a quotient: line (1 × 3) receives a / b, and how steeply it changes with a and with b.
// b is not 0.
void tape_divide(/* out */ Matrix line, float a, float b);

// TASK 7.2  Play a tape of numbers backwards. Row i of tape (n × 4) is line i: the numbers of the two lines it was made from
// (−1: none), and how steeply it changes with each of them. gradients (n × 1) is overwritten: how the last line changes with
// each line. A line may be made twice from the same one.
void tape_play_backwards(/* out */ Matrix gradients, Matrix tape);

// TASK 7.3  What the product y = a·b gives back. Adds to d_a (M × K) and d_b (K × N); d_y (M × N), a (M × K), b (K × N).
void product_gives_back(/* in/out */ Matrix d_a, /* in/out */ Matrix d_b, Matrix d_y, Matrix a, Matrix b);

// TASK 7.4  What y = softmax of each row of x gives back, for any d_y that arrives. Adds to d_x (N × K); d_y, y (N × K).
// In a row, d y_j / d x_k = y_j · ([j = k] − y_k).
void softmax_gives_back(/* in/out */ Matrix d_x, Matrix d_y, Matrix y);

// TASK 7.5  A new operation for the tape of matrices, y = x·xᵀ, both ways: y (N × N) is overwritten with the product, and
// what it gives back for any d_y (N × N) that arrives is added to d_x (N × D). x (N × D) is used twice. To be measured:
// within 1e-4 of the reference, relative to the largest element.
void product_with_itself(/* out */ Matrix y, /* in/out */ Matrix d_x, Matrix d_y, Matrix x);
