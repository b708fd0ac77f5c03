// likelihood.h: log probabilities of single rows, and cross-entropies that weigh rows or have soft targets. The usual mean over
// rows is cross_entropy of loss.h.
//
// Used for: policies and their ratios (row_log_probabilities, cross_entropy_weighted: 30, 31), label smoothing and distillation
// (soft_cross_entropy: 17, 32).
//
// Shapes: N rows, K classes. Labels 0 … K−1, or LABEL_IGNORED (loss.h): such a row gives 0 and has no gradient. Labels and
// weights are copied. A backward function adds to the gradient it is given and skips one whose data is NULL.
#pragma once
#include "learning/ops/loss.h"

// log_probabilities_i (N × 1) = log softmax(logits_i)_label. Also writes the probabilities (N × K), which may stand in the place of
// the logits.
void row_log_probabilities_forward(Matrix log_probabilities, Matrix probabilities, Matrix logits,
                                   const int *labels);
// d_y (N × 1)
void row_log_probabilities_backward(Matrix d_logits, Matrix d_y, Matrix probabilities, const int *labels);

// The mean over rows of −Σ_j t_ij log softmax(logits_i)_j. Rows of targets (N × K) are probabilities, but need not sum to 1.
// row_losses (N × 1) and probabilities (N × K) receive what they are called.
float soft_cross_entropy_forward(Matrix probabilities, Matrix row_losses, Matrix logits, Matrix targets);
void soft_cross_entropy_backward(Matrix d_logits, float d_loss, Matrix probabilities, Matrix targets);

#define row_log_probabilities(logits, labels)                                                                \
    row_log_probabilities_at(HERE, logits, labels) // (N × K) → (N × 1)
// −1/n Σ_i w_i log softmax(logits_i)_label over the n rows that count; weights w (N of them) of any sign, such as
// advantages. All weights 1 give cross_entropy.
#define cross_entropy_weighted(logits, labels, weights)                                                      \
    cross_entropy_weighted_at(HERE, logits, labels, weights)
#define soft_cross_entropy(logits, targets) soft_cross_entropy_at(HERE, logits, targets)
Tensor *row_log_probabilities_at(Place place, Tensor *logits, const int *labels);
Tensor *cross_entropy_weighted_at(Place place, Tensor *logits, const int *labels, const float *weights);
// The targets are not copied: they must live until backward.
Tensor *soft_cross_entropy_at(Place place, Tensor *logits, Matrix targets);
