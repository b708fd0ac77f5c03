// Exercises of chapter 2, logistic and softmax regression: what each task takes and gives back. Do not edit: write in
// exercise.c.
//
// n examples (at least 1), d features, K classes (1 … MAX_CLASSES). Element (i, j) of a matrix m is AT(m, i, j).
// Labels are floats: y (n × 1) holds 0 or 1, labels (n × 1) the class 0, 1, … K − 1. Outputs are overwritten, whatever
// they held; inputs are not changed. exp32 and log32 from base/mathf.h, or those of the C library, as you like.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_CLASSES = 64 };

// TASK 2.1  The mean cross-entropy of yes-or-no answers with the scores z = x·w: 1/n · Σᵢ log(1 + e^zᵢ) − yᵢ zᵢ.
// x (n × d), w (d × 1), y (n × 1). Scores may be as large as ±10⁴: the loss must stay finite, and right.
float logistic_loss(Matrix x, Matrix w, Matrix y);

// TASK 2.2  The gradient of that loss: xᵀ (p − y) / n with the probabilities p = σ(x·w).
// gradient (d × 1), x (n × d), w (d × 1), y (n × 1)
void logistic_gradient(/* out */ Matrix gradient, Matrix x, Matrix w, Matrix y);

// TASK 2.3  The softmax of each row: p_ik = e^z_ik / Σⱼ e^z_ij. To be measured: every probability within 1e-6 of the
// reference, for scores as large as ±10⁴.
// p and z (n × K)
void softmax_of_rows(/* out */ Matrix p, Matrix z);

// TASK 2.4  The gradient of softmax regression: xᵀ (p − one-hot(labels)) / n with p the softmax of the rows of x·w.
// gradient (d × K), x (n × d), w (d × K), labels (n × 1)
void softmax_gradient(/* out */ Matrix gradient, Matrix x, Matrix w, Matrix labels);

// TASK 2.5  The area under the ROC curve: the fraction of the pairs (an example with y = 1, an example with y = 0) in which
// the first has the larger score; a pair of equal scores counts one half. Both kinds of examples are there.
// scores and y (n × 1). To be measured: 200 000 scores in less than a second, so going through all pairs will not do.
float area_under_curve(Matrix scores, Matrix y);
