// elementwise.h: arithmetic between tensors beyond sums and products of equal shapes, and functions of one element that are
// no activations. Sums, products and multiples are in shape.h.
//
// Used for: reward models and policies (logarithm, tensor_minimum, tensor_clamp: 30, 31), contrastive learning (normalise_rows,
// scale_by: 24), gates over rows and columns (tensor_multiply_row, tensor_multiply_column: 22, 32), distances (square_root: 25).
//
// Shapes: N rows, C columns; x, a, b, y, d_y and the gradients (N × C) unless said. A backward function adds to the gradients
// it is given and skips those whose data is NULL. Where a slope does not exist (clamp at its bounds, minimum of equals,
// square root at 0) the one that is taken is told.
#pragma once
#include "learning/tensor.h"

void logarithm_forward(Matrix y, Matrix x); // natural; −∞ at 0, NaN below
void logarithm_backward(Matrix d_x, Matrix d_y, Matrix x);

void square_root_forward(Matrix y, Matrix x);
void square_root_backward(Matrix d_x, Matrix d_y, Matrix y); // at 0 the slope is infinite

// y = min(max(x, low), high); the slope is 1 between the bounds and on them, 0 beyond. NaN stays NaN.
void clamp_forward(Matrix y, Matrix x, float low, float high);
void clamp_backward(Matrix d_x, Matrix d_y, Matrix x, float low, float high);

// y = a ⊘ b
void quotient_forward(Matrix y, Matrix a, Matrix b);
void quotient_backward(Matrix d_a, Matrix d_b, Matrix d_y, Matrix y, Matrix b);

// y = min(a, b), a where they are equal: there the whole gradient is a's. NaN where one is NaN.
void minimum_forward(Matrix y, Matrix a, Matrix b);
void minimum_backward(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b);

// y_ij = factors_i x_ij, as multiply_column of matrix.h does; factors (N × 1)
void multiply_column_backward(Matrix d_x, Matrix d_factors, Matrix d_y, Matrix x, Matrix factors);

// y_ij = factors_j x_ij, as multiply_row does; factors (1 × C)
void multiply_row_backward(Matrix d_x, Matrix d_factors, Matrix d_y, Matrix x, Matrix factors);

// y_i = x_i / max(‖x_i‖, ε): rows of length 1, so that a·bᵀ holds cosines. lengths (N × 1) receives max(‖x_i‖, ε). A row shorter
// than ε is divided by the constant ε.
void normalise_rows_forward(Matrix y, Matrix lengths, Matrix x, float epsilon);
void normalise_rows_backward(Matrix d_x, Matrix d_y, Matrix y, Matrix lengths, float epsilon);

#define logarithm(x)                       logarithm_at(HERE, x)
#define square_root(x)                     square_root_at(HERE, x)
#define tensor_clamp(x, low, high)         tensor_clamp_at(HERE, x, low, high)
#define tensor_divide(a, b)                tensor_divide_at(HERE, a, b)
#define tensor_minimum(a, b)               tensor_minimum_at(HERE, a, b)
#define tensor_multiply_column(x, factors) tensor_multiply_column_at(HERE, x, factors)
#define tensor_multiply_row(x, factors)    tensor_multiply_row_at(HERE, x, factors)
#define scale_by(x, s)                     scale_by_at(HERE, x, s) // s · x for a tensor s (1 × 1), such as a learned temperature
#define normalise_rows(x, epsilon)         normalise_rows_at(HERE, x, epsilon) // ε ≥ 0, such as 1e-12
Tensor *logarithm_at(Place place, Tensor *x);
Tensor *square_root_at(Place place, Tensor *x);
Tensor *tensor_clamp_at(Place place, Tensor *x, float low, float high);
Tensor *tensor_divide_at(Place place, Tensor *a, Tensor *b);
Tensor *tensor_minimum_at(Place place, Tensor *a, Tensor *b);
Tensor *tensor_multiply_column_at(Place place, Tensor *x, Tensor *factors);
Tensor *tensor_multiply_row_at(Place place, Tensor *x, Tensor *factors);
Tensor *scale_by_at(Place place, Tensor *x, Tensor *s);
Tensor *normalise_rows_at(Place place, Tensor *x, float epsilon);
