// attention.h: the kernel of attention and of its gradients, for heads wherever they lie. Layers are in
// learning/ops/attention.h, which has the shapes and letters; how it is made fast is told in attention.c.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    int batch, queries, keys; // T = queries and S = keys of each sequence
    int heads, key_heads;     // key_heads 0: as many as heads
    bool causal;              // query i sees the keys 0 … S − T + i: its own position is the last
    float scale;              // 0: 1/√D
    const int *key_counts;    // [batch] how many keys of each sequence count, the rest is padding; NULL: all
    int key_rows; // rows of k and v from one sequence to the next, when there is room behind the keys; 0: keys
    // Who may see whom: a query sees the keys of its own region, and a key of a region below 0 is seen by none: texts that
    // are packed into one sequence, windows that were cut apart (Swin), padding at any place. [batch · T] and [batch · S],
    // or both NULL: all; key_regions NULL where positions look at themselves: the same.
    const int *query_regions, *key_regions;
    Matrix bias; // (heads · T × S), row h · T + i: added to the scores of every sequence; data NULL: none
} AttentionShape;

// B sequences of T positions that look at themselves
static inline AttentionShape self_attention_shape(int batch, int time, int heads, bool causal)
{
    return (AttentionShape){.batch = batch, .queries = time, .keys = time, .heads = heads, .causal = causal};
}

// The shape with key_heads, key_rows, key_regions and scale filled in, for heads of this width.
AttentionShape attention_shape_complete(AttentionShape shape, int width);

// How many keys, from the first, query i of a sequence sees.
static inline int attention_visible_keys(const AttentionShape *shape, int sequence, int i)
{
    int keys = shape->causal ? int_max(0, shape->keys - shape->queries + i + 1) : shape->keys;
    return shape->key_counts ? int_min(keys, shape->key_counts[sequence]) : keys;
}

// Whether query i of a sequence sees key j, one of those that attention_visible_keys counts: of a complete shape.
static inline bool attention_same_region(const AttentionShape *shape, int sequence, int i, int j)
{
    if (!shape->query_regions) return true;
    const int region = shape->key_regions[sequence * shape->keys + j];
    return region >= 0 && region == shape->query_regions[sequence * shape->queries + i];
}

// Some columns of a matrix: where they begin, and how far it is from one row to the next.
typedef struct {
    float *data;
    size_t step;
} Columns;

static inline Columns columns_from(Matrix m, int first) { return (Columns){m.data + first, (size_t)m.cols}; }

static inline Columns columns_at(Columns c, int row, int column)
{
    if (!c.data) return c;
    return (Columns){c.data + (size_t)row * c.step + column, c.step};
}

static inline Columns columns_after(Columns c, size_t floats)
{
    return (Columns){c.data ? c.data + floats : NULL, c.step};
}

typedef struct {
    Columns q, k, v;
} QueriesKeysValues;

// A cache of keys and values may lie head after head (AttentionHeads.head_step), and its keys transposed, so that a query that
// is asked alone finds side by side what it meets together: for every KEY_BLOCK keys a block (D × KEY_BLOCK), one after the other.
enum { KEY_BLOCK = 64 };

// Room for that: how many floats the keys of one head take, a multiple of D · KEY_BLOCK.
static inline size_t key_blocks_size(int keys, int width)
{
    return ((size_t)keys + KEY_BLOCK - 1) / KEY_BLOCK * KEY_BLOCK * (size_t)width;
}

// Puts count keys (count × D) there, as the keys first, first + 1 …
void key_blocks_put(float *blocks, int first, Columns keys, int count, int width);

// All heads of all sequences; inside of the kernel, the query heads of one sequence that look at one key head.
typedef struct {
    AttentionShape shape; // complete
    int width;            // D
    int sequence, first;  // the kernel's own: which sequence; the first of the query heads
    QueriesKeysValues x,
        d; // inputs and gradients, from the first row and column on; gradients without data are not wanted
    // From the keys (values) of one key head to those of the next; 0: D, they lie side by side
    size_t head_step;
    bool key_blocks;    // x.k is made of blocks, as above: for the forward of one sequence
    Columns out, d_out; // the same as x and d
    Matrix log_sums;    // (B·T × h): written by the forward, read by the backward
    bool clear;         // the gradients of q, k and v hold nothing yet: overwrite them
    Matrix d_bias;      // (heads · T × S), added to; data NULL: not wanted
} AttentionHeads;

void attention_heads_forward(Arena *scratch, const AttentionHeads *heads);
void attention_heads_backward(Arena *scratch, const AttentionHeads *heads);
