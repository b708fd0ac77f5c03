// shape.h: sums and differences of tensors, joining and cutting, reductions, dropout.
//
// Shapes: N rows, C columns. Names that matrices already use (add, multiply, …) carry the prefix tensor_
// here.
#pragma once
#include "learning/tensor.h"

#define tensor_add(a, b)      tensor_add_at(HERE, a, b) // a + b, equal shapes; or b (1 × C) for all rows
#define tensor_subtract(a, b) tensor_subtract_at(HERE, a, b) // a − b, equal shapes
#define tensor_multiply(a, b) tensor_multiply_at(HERE, a, b) // a ⊙ b, equal shapes
#define tensor_scale(x, s)    tensor_scale_at(HERE, x, s)    // s · x
Tensor *tensor_add_at(Place place, Tensor *a, Tensor *b);
Tensor *tensor_subtract_at(Place place, Tensor *a, Tensor *b);
Tensor *tensor_multiply_at(Place place, Tensor *a, Tensor *b);
Tensor *tensor_scale_at(Place place, Tensor *x, float s);

#define concat_columns(a, b)           concat_columns_at(HERE, a, b) // (N × C), (N × D) → (N × (C + D))
#define concat_rows(a, b)              concat_rows_at(HERE, a, b)    // (N × C), (M × C) → ((N + M) × C)
#define slice_columns(x, first, count) slice_columns_at(HERE, x, first, count) // (N × C) → (N × count)
#define slice_rows(x, first, count)    slice_rows_at(HERE, x, first, count) // (N × C) → (count × C), a view
#define tensor_reshape(x, rows, cols)  tensor_reshape_at(HERE, x, rows, cols) // the same numbers, a view
Tensor *concat_columns_at(Place place, Tensor *a, Tensor *b);
Tensor *concat_rows_at(Place place, Tensor *a, Tensor *b);
Tensor *slice_columns_at(Place place, Tensor *x, int first, int count);
Tensor *slice_rows_at(Place place, Tensor *x, int first, int count);
Tensor *tensor_reshape_at(Place place, Tensor *x, int rows, int cols);

#define sum_all(x)             sum_all_at(HERE, x)             // (N × C) → (1 × 1)
#define mean_all(x)            mean_all_at(HERE, x)            // (N × C) → (1 × 1)
#define tensor_row_means(x)    tensor_row_means_at(HERE, x)    // (N × C) → (N × 1)
#define tensor_column_means(x) tensor_column_means_at(HERE, x) // (N × C) → (1 × C)
Tensor *sum_all_at(Place place, Tensor *x);
Tensor *mean_all_at(Place place, Tensor *x);
Tensor *tensor_row_means_at(Place place, Tensor *x);
Tensor *tensor_column_means_at(Place place, Tensor *x);

// While training, each element is dropped with this probability and the others are divided by 1 −
// probability, so that the mean stays (inverted dropout; Srivastava et al., JMLR 15, 2014). Otherwise, and
// for probability 0, it gives x itself. The pattern of row i comes from stream i of rng, and rng moves on by
// one draw: the same pattern for any number of threads.
#define dropout(x, probability, rng, training) dropout_at(HERE, x, probability, rng, training)
Tensor *dropout_at(Place place, Tensor *x, float probability, Rng *rng, bool training);

// mask (N × C) receives 0 or 1 / (1 − probability), 0 ≤ probability < 1
void dropout_mask(Matrix mask, float probability, const Rng *rng);
