// linear.h: linear layers, products and table look-ups.
//
// Shapes: N rows, I inputs, O outputs, K the inner dimension of a product, V rows of a table, C columns.
//
// The plain functions work on matrices. A backward function adds to the gradients it is given and skips those
// whose data is NULL. The taped operations record the pair; how to use them is in tensor.h.
#pragma once
#include "learning/tensor.h"

// y = x·w + b: x (N × I), w (I × O), b (1 × O) or with data NULL, y (N × O)
void affine_forward(Matrix y, Matrix x, Matrix w, Matrix b);
void affine_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w);

// y = max(0, x·w + b), bias and activation in one pass
void affine_relu_forward(Matrix y, Matrix x, Matrix w, Matrix b);
// d_z (N × O) is scratch for the gradient before the activation
void affine_relu_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_z, Matrix d_y, Matrix y, Matrix x,
                          Matrix w);

// y = gelu(x·w + b). slopes (N × O) receives the derivatives of gelu there for the backward, or has data NULL.
void affine_gelu_forward(Matrix y, Matrix slopes, Matrix x, Matrix w, Matrix b);
void affine_gelu_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_z, Matrix d_y, Matrix slopes, Matrix x,
                          Matrix w);

// y = r + (x·w + b): what a layer adds to the stream r (N × O) of a residual network
void affine_add_forward(Matrix y, Matrix r, Matrix x, Matrix w, Matrix b);
void affine_add_backward(Matrix d_r, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w);

// y = a·b: a (N × K), b (K × O), y (N × O)
void product_forward(Matrix y, Matrix a, Matrix b);
void product_backward(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b);

// The table may be any tensor: so are rows selected, and repeated, on the tape.
// y_i = row ids_i of the table: table (V × C), count ids, each in 0 … V−1, y (count × C)
void embedding_forward(Matrix y, Matrix table, const int *ids);
void embedding_backward(Matrix d_table, Matrix d_y, const int *ids);

#define affine(x, w, b)                    affine_at(HERE, x, w, b) // b may be NULL
#define affine_relu(x, w, b)               affine_relu_at(HERE, x, w, b)
#define affine_gelu(x, w, b)               affine_gelu_at(HERE, x, w, b)
#define affine_add(r, x, w, b)             affine_add_at(HERE, r, x, w, b)
#define product(a, b)                      product_at(HERE, a, b)
#define product_transposed(a, b)           product_transposed_at(HERE, a, b) // a·bᵀ: an output tied to a table
#define product_tn(a, b)                   product_tn_at(HERE, a, b) // aᵀ·b: (N × K), (N × O) → (K × O), as a Gram matrix
#define embedding(tape, table, ids, count) embedding_at(HERE, tape, table, ids, count) // the ids are copied
Tensor *affine_at(Place place, Tensor *x, Tensor *w, Tensor *b);
Tensor *affine_relu_at(Place place, Tensor *x, Tensor *w, Tensor *b);
Tensor *affine_gelu_at(Place place, Tensor *x, Tensor *w, Tensor *b);
Tensor *affine_add_at(Place place, Tensor *r, Tensor *x, Tensor *w, Tensor *b);
Tensor *product_at(Place place, Tensor *a, Tensor *b);
Tensor *product_transposed_at(Place place, Tensor *a, Tensor *b);
Tensor *product_tn_at(Place place, Tensor *a, Tensor *b);
Tensor *embedding_at(Place place, Tape *tape, Tensor *table, const int *ids, int count);
