// Exercises of chapter 16, Attention: what each task takes and gives back. Do not edit: write in exercise.c.
//
// T queries, S ≥ T keys, d the width of a head, at most MAX_WIDTH; T and S at most MAX_TIME. Under the causal mask query i
// sees the keys 0 … S − T + i. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_TIME = 64, MAX_WIDTH = 64 };

// TASK 16.1  Regression with a Gaussian kernel: row i of out (T × d) is the mean of the rows v_j (S × d), weighted by
// e^(−‖q_i − k_j‖² / (2 width²)). Points q (T × d), k (S × d); width > 0. A query may lie thousands of widths away from all keys, where
// every kernel is 0 in floats: the answer is a mean all the same, and nearly that of the nearest key.
void kernel_regression(/* out */ Matrix out, Matrix q, Matrix k, Matrix v, float width);

// TASK 16.2  The weights under the causal mask: row i of p is the softmax of the scores that query i sees; the other
// weights are 0. Scores may be as large as ±10 000. p and s (T × S); p is never s.
void causal_softmax(/* out */ Matrix p, Matrix s);

// TASK 16.3  Causal self-attention with several heads for a batch. All matrices (batch·T × heads·d): sequence b has the rows
// b·T … b·T + T − 1, head n the columns n·d … n·d + d − 1. Each head of each sequence: out = causal_softmax(q·kᵀ / √d) · v.
void multi_head_attention(/* out */ Matrix out, Matrix q, Matrix k, Matrix v, int batch, int heads);

// TASK 16.4  The gradient of the scores, d_s (T × S), from the weights p = softmax(s) (T × S) and their gradient d_p (T × S).
void attention_softmax_gradient(/* out */ Matrix d_s, Matrix d_p, Matrix p);

// TASK 16.5  One head, causal: the gradients d_q (T × d), d_k (S × d) and d_v (S × d) from the gradient d_out (T × d) of
// out = causal_softmax(q·kᵀ / √d) · v.
void attention_gradient(/* out */ Matrix d_q, /* out */ Matrix d_k, /* out */ Matrix d_v, Matrix d_out,
                        Matrix q, Matrix k, Matrix v);
