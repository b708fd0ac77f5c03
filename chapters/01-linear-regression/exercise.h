// Exercises of chapter 1, linear regression: what each task takes and gives back. Do not edit: write in exercise.c.
//
// n examples (at least 1), d features (1 … MAX_FEATURES). Element (i, j) of a matrix m is AT(m, i, j).
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_FEATURES = 16 };

// TASK 1.1  The loss of the weights w: 1/(2n) · Σᵢ (Σⱼ xᵢⱼ wⱼ − yᵢ)².
// x (n × d), w (d × 1), y (n × 1). Nothing is changed.
float regression_loss(Matrix x, Matrix w, Matrix y);

// TASK 1.2  The gradient of that loss: gradientⱼ = 1/n · Σᵢ xᵢⱼ eᵢ with the errors e = x·w − y.
// gradient (d × 1) is overwritten, whatever it held before; x (n × d), w (d × 1), y (n × 1) are not changed.
void regression_gradient(/* out */ Matrix gradient, Matrix x, Matrix w, Matrix y);

// TASK 1.3  Gradient descent: steps times w ← w − rate · gradient. w (d × 1) holds the start and receives the end.
// 0 steps change nothing.
void regression_descend(/* in/out */ Matrix w, Matrix x, Matrix y, float rate, int steps);

// TASK 1.4  The ridge solution, where the loss plus ridge/2 · Σⱼ wⱼ² is lowest, by descent with a rate and a number of steps
// that you choose for the table at hand: w (d × 1) with (xᵀx / n + ridge · I) w = xᵀy / n. w is overwritten, whatever it
// held before; to be measured: every weight within 1e-3 of the reference, relative to the largest one. ridge ≥ 0.01, and
// the units of the features may differ by a factor of 10.
void regression_ridge(/* out */ Matrix w, Matrix x, Matrix y, float ridge);
