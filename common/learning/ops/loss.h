// loss.h: softmax, and the losses that a model is trained with.
//
// Shapes: N rows, K classes, C columns. A loss is (1 × 1): the mean over rows (cross_entropy) or over all
// elements. Plain backward functions take d_loss, the gradient of that one number, and add to the gradient
// they are given.
#pragma once
#include "learning/tensor.h"

enum { LABEL_IGNORED = -1 }; // a row with this label does not count in cross_entropy

// Each row of out: e^(m_ij − largest) / Σ. out may be m. (N × K), K ≥ 1. A score of −∞ gets the share 0. Where the
// largest is not finite, or a score is not a number, the shares are undefined and all are NaN.
#define softmax_rows(out, m) softmax_rows_at(HERE, out, m)
void softmax_rows_at(Place place, Matrix out, Matrix m);
// y is the softmax: d_x (N × K) += yᵢ ⊙ (d_yᵢ − ⟨d_yᵢ, yᵢ⟩)
void softmax_rows_backward(Matrix d_x, Matrix d_y, Matrix y);

// out (N × 1): log Σ_j e^(m_ij), by the largest element + log Σ e^(m_ij − largest), which cannot overflow; m (N × K),
// K ≥ 1. −∞ where all elements are −∞, +∞ where one is +∞, NaN where one is NaN.
#define log_sum_exp(out, m) log_sum_exp_at(HERE, out, m)
void log_sum_exp_at(Place place, Matrix out, Matrix m);

// Stops the program, with the operation's name, when a label is none of these classes and not LABEL_IGNORED.
void need_labels(Place place, const char *operation, const int *labels, int rows, int classes);
int counted_labels(const int *labels, int rows); // how many rows are not ignored

// row_losses (N × 1): −log softmax(logits)_label, 0 for an ignored row; returns their mean over the rows that
// count (NaN when none does; the taped one stops). Also writes the probabilities (N × K), which may stand in the
// place of the logits. Labels 0 … K−1 or LABEL_IGNORED. A loss keeps its digits however small it is; the gradient
// p − 1 at the label is formed from p in single precision, to 6e-8.
float cross_entropy_forward(Matrix probabilities, Matrix row_losses, Matrix logits, const int *labels);
void cross_entropy_backward(Matrix d_logits, float d_loss, Matrix probabilities, const int *labels);

// The mean over all elements of (prediction − target)²
float mean_squared_error_forward(Matrix prediction, Matrix target);
void mean_squared_error_backward(Matrix d_prediction, float d_loss, Matrix prediction, Matrix target);

// The mean over all elements of −t log σ(x) − (1 − t) log(1 − σ(x)) = softplus(x) − t x; targets t in [0, 1]. Loss
// and gradient keep their digits however close to 0 they are.
float binary_cross_entropy_forward(Matrix logits, Matrix targets);
void binary_cross_entropy_backward(Matrix d_logits, float d_loss, Matrix logits, Matrix targets);

// The share of rows whose largest score, the first of equals, stands at the label; ignored rows do not count. A row
// with a NaN has no largest score and is not right, whatever its label.
#define accuracy(scores, labels) accuracy_at(HERE, scores, labels)
double accuracy_at(Place place, Matrix scores, const int *labels);

#define softmax(x)                             softmax_at(HERE, x)
#define cross_entropy(logits, labels)          cross_entropy_at(HERE, logits, labels) // the labels are copied
#define mean_squared_error(prediction, target) mean_squared_error_at(HERE, prediction, target)
#define binary_cross_entropy(logits, targets)  binary_cross_entropy_at(HERE, logits, targets)
#define tied_cross_entropy(x, table, labels)   tied_cross_entropy_at(HERE, x, table, labels)
Tensor *softmax_at(Place place, Tensor *x);
Tensor *cross_entropy_at(Place place, Tensor *logits, const int *labels);
// The targets are not copied: they must live until backward.
Tensor *mean_squared_error_at(Place place, Tensor *prediction, Matrix target);
Tensor *binary_cross_entropy_at(Place place, Tensor *logits, Matrix targets);
// cross_entropy(product_transposed(x, table), labels) without keeping the logits (N × V): rows in blocks, for large
// vocabularies. x (N × C), table (V × C)
Tensor *tied_cross_entropy_at(Place place, Tensor *x, Tensor *table, const int *labels);
