// attention.h: the layer that mixes a position with whichever others are relevant. What tells it where it is stands in
// position.h.
//
// A batch of sequences is one matrix: row b · T + t holds the features of sequence b at position t. Heads lie side by
// side in the columns: head h of width D is the columns h·D … h·D + D − 1.
//
// Shapes: B sequences, T queries and S keys in each, h heads of width D for queries, g ≤ h heads for keys and values
// (grouped queries, Ainslie et al. 2023: head i looks at key head i / (h/g)).
//   q, out (B·T × h·D), k, v (B·S × g·D)
//
// out_i = Σ_j p_ij v_j with p_i = softmax over j of scale · ⟨q_i, k_j⟩ (Vaswani et al. 2017, eq. 1). The matrix p is
// never kept: keys are taken in blocks with a running maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2022),
// and the backward computes p again from q, k and the logarithm of each row's sum, so memory grows with T, not T².
//
// Backward functions add to the gradients they are given and skip those whose data is NULL.
#pragma once
#include "learning/tensor.h"
#include "matrix/attention.h"

// log_sums (B·T × h) is kept for the backward. A query that sees no key gives zeros; one of whose scores is +∞ or NaN, or
// all −∞, gives NaN.
void attention_forward(Arena *scratch, Matrix out, Matrix log_sums, Matrix q, Matrix k, Matrix v,
                       AttentionShape shape);
void attention_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix out,
                        Matrix log_sums, Matrix q, Matrix k, Matrix v, AttentionShape shape);

// The same with the whole matrix p in plain loops: the oracle. weights, when it has data, receives p: row
// (b · h + head) · T + i, column j: (B·h·T × S), for heat maps.
void attention_naive_forward(Arena *scratch, Matrix out, Matrix weights, Matrix q, Matrix k, Matrix v,
                             AttentionShape shape);
void attention_naive_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_out, Matrix q,
                              Matrix k, Matrix v, AttentionShape shape);

// ---- Taped -------------------------------------------------------------------------------------------------------
#define attention(q, k, v, shape)  attention_at(HERE, q, k, v, shape)
#define self_attention(qkv, shape) self_attention_at(HERE, qkv, shape)
Tensor *attention_at(Place place, Tensor *q, Tensor *k, Tensor *v, AttentionShape shape);
// qkv (B·T × (h + 2g)·D): queries, keys and values beside each other
Tensor *self_attention_at(Place place, Tensor *qkv, AttentionShape shape);
