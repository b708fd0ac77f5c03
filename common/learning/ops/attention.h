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
// out_i = Σ_j p_ij v_j with p_i = softmax over j of scale · ⟨q_i, k_j⟩ + bias_ij (Vaswani et al. 2017, eq. 1; the bias:
// relative positions of Swin, Liu et al. 2021, eq. 4, or ALiBi, Press et al. 2022). The matrix p is
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
// d_bias (h·T × S)
void attention_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_bias, Matrix d_out,
                        Matrix out, Matrix log_sums, Matrix q, Matrix k, Matrix v, AttentionShape shape);

// The same with the whole matrix p in plain loops: the oracle. weights, when it has data, receives p: row
// (b · h + head) · T + i, column j: (B·h·T × S), for heat maps.
void attention_naive_forward(Arena *scratch, Matrix out, Matrix weights, Matrix q, Matrix k, Matrix v,
                             AttentionShape shape);
void attention_naive_backward(Arena *scratch, Matrix d_q, Matrix d_k, Matrix d_v, Matrix d_bias, Matrix d_out,
                              Matrix q, Matrix k, Matrix v, AttentionShape shape);

// ---- Taped -------------------------------------------------------------------------------------------------------
#define attention(q, k, v, shape)               attention_at(HERE, q, k, v, NULL, shape)
#define self_attention(qkv, shape)              self_attention_at(HERE, qkv, NULL, shape)
// The same with a bias that is learnt, (h·T × S), in the place of the shape's.
#define attention_biased(q, k, v, bias, shape)  attention_at(HERE, q, k, v, bias, shape)
#define self_attention_biased(qkv, bias, shape) self_attention_at(HERE, qkv, bias, shape)
Tensor *attention_at(Place place, Tensor *q, Tensor *k, Tensor *v, Tensor *bias, AttentionShape shape);
// qkv (B·T × (h + 2g)·D): queries, keys and values beside each other
Tensor *self_attention_at(Place place, Tensor *qkv, Tensor *bias, AttentionShape shape);
// The shape of a node that one of these made; NULL of any other.
const AttentionShape *attention_shape_of(const Tensor *node);

// What a layer has seen of some sequences, for reading on without reading again: no gradient comes back through it.
typedef struct {
    Matrix keys, values; // (B · capacity × g·D): row b · capacity + t is position t of sequence b
    int capacity;
    const int *
        lengths; // [B]: how many positions of each sequence stand there. The caller moves them on, after all layers
} AttentionCache;

// Self-attention of T = shape.queries positions that follow those of the cache, into which their keys and values are put:
// each sees itself and all before it. The bits are those of self_attention over the whole sequences. shape.keys and
// shape.causal need not be given. On a tape that does not record.
#define cached_self_attention(qkv, cache, shape) cached_self_attention_at(HERE, qkv, cache, shape)
Tensor *cached_self_attention_at(Place place, Tensor *qkv, AttentionCache cache, AttentionShape shape);
