// attention.h: the layer that mixes a position with whichever others are relevant, and what tells it where it is.
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

typedef struct {
    int batch, queries, keys; // T = queries and S = keys of each sequence
    int heads, key_heads;     // key_heads 0: as many as heads
    bool causal;              // query i sees the keys 0 … S − T + i: its own position is the last
    float scale;              // 0: 1/√D
    const int *key_counts;    // [batch] how many keys of each sequence count, the rest is padding; NULL: all
    int key_rows; // rows of k and v from one sequence to the next, when there is room behind the keys; 0: keys
} AttentionShape;

// B sequences of T positions that look at themselves
static inline AttentionShape self_attention_shape(int batch, int time, int heads, bool causal)
{
    return (AttentionShape){.batch = batch, .queries = time, .keys = time, .heads = heads, .causal = causal};
}

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

// ---- Positions -------------------------------------------------------------------------------------------------
// Rotary (Su et al. 2021): within each head of width D, the pair (x_j, x_{j + D/2}) of position t turns by the angle
// t · base^(−2j/D): the half-split form of Llama, Qwen and GPT-NeoX. time positions in each sequence, the first of them
// number `first`. backward turns the other way.
typedef struct {
    int time, heads, first;
    float base; // 0: 10000
    int width;  // of a head: the columns behind the heads stay as they are; 0: all columns are heads
} RotaryShape;
void rotary_forward(Matrix y, Matrix x, RotaryShape shape); // y may be x
void rotary_backward(Matrix d_x, Matrix d_y, RotaryShape shape);

// Sines and cosines of geometric wavelengths (Vaswani et al. 2017, section 3.5): table (T × C), column 2j sine, 2j + 1
// cosine of t / 10000^(2j/C).
void sinusoidal_positions(Matrix table);

// ---- Taped -------------------------------------------------------------------------------------------------------
#define attention(q, k, v, shape) attention_at(HERE, q, k, v, shape)
#define self_attention(qkv, shape)                                                                           \
    self_attention_at(HERE, qkv, shape) // qkv (B·T × (h + 2g)·D): q, k, v beside
#define rotary(x, shape) rotary_at(HERE, x, shape)
#define add_positions(x, table, time)                                                                        \
    add_positions_at(HERE, x, table, time) // row b·T + t gets row t of the table
#define product_transposed(a, b)             product_transposed_at(HERE, a, b) // a·bᵀ: an output tied to a table
#define tied_cross_entropy(x, table, labels) tied_cross_entropy_at(HERE, x, table, labels)
Tensor *attention_at(Place place, Tensor *q, Tensor *k, Tensor *v, AttentionShape shape);
Tensor *self_attention_at(Place place, Tensor *qkv, AttentionShape shape);
Tensor *rotary_at(Place place, Tensor *x, RotaryShape shape);
Tensor *add_positions_at(Place place, Tensor *x, Tensor *table, int time);
Tensor *product_transposed_at(Place place, Tensor *a, Tensor *b);
// cross_entropy(product_transposed(x, table), labels) without keeping the logits (N × V): rows in blocks, for large
// vocabularies. x (N × C), table (V × C)
Tensor *tied_cross_entropy_at(Place place, Tensor *x, Tensor *table, const int *labels);
