// norm.h: normalisations: signals brought to mean 0 and deviation 1, then given a learnt gain and bias.
//
// Shapes: N rows, C columns; x, y (N × C), gain and bias (1 × C). Backward functions add to the gradients
// they are given and skip those whose data is NULL.
#pragma once
#include "learning/tensor.h"

// Along each row (Ba, Kiros and Hinton 2016): y_i = (x_i − mean_i) · r_i ⊙ gain + bias with
// r_i = 1 / √(variance_i + epsilon), epsilon usually 1e-5. mean and r (N × 1) are kept for the backward. A row of equal numbers gives the bias,
// whatever the number; a row that is not finite gives NaN.
void layer_norm_forward(Matrix y, Matrix mean, Matrix r, Matrix x, Matrix gain, Matrix bias, float epsilon);
// normal (N × C) is scratch
void layer_norm_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix normal, Matrix d_y, Matrix x,
                         Matrix mean, Matrix r, Matrix gain);

// Along each row, without a mean (Zhang and Sennrich 2019): y_i = x_i · r_i ⊙ gain with
// r_i = 1 / √(mean of squares + epsilon)
void rms_norm_forward(Matrix y, Matrix r, Matrix x, Matrix gain, float epsilon);
void rms_norm_backward(Matrix d_x, Matrix d_gain, Matrix normal, Matrix d_y, Matrix x, Matrix r, Matrix gain);

// Down each column (Ioffe and Szegedy 2015). While training the statistics are those of the batch, and the
// running ones move towards them: s ← (1 − momentum) s + momentum · batch (the variance by N − 1). Otherwise
// the running ones are used. A column of equal numbers gives the bias while training.
typedef struct {
    Matrix mean, variance; // (1 × C): running; begin as 0 and 1
    float momentum;        // 0.1 is usual
    float small;           // 1e-5 is usual
} BatchNormState;

BatchNormState batch_norm_state_new(Arena *arena, int features);

// mean and r (1 × C), r = 1 / √(variance + small): y = (x − mean) ⊙ r ⊙ gain + bias
void batch_norm_forward(Matrix y, Matrix x, Matrix mean, Matrix r, Matrix gain, Matrix bias);
// sums (2 × C) is scratch. from_batch: mean and r depend on x; otherwise they are constants.
void batch_norm_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix sums, Matrix d_y, Matrix x,
                         Matrix mean, Matrix r, Matrix gain, bool from_batch);

// y = max(0, norm(x) + shortcut), in one pass over memory: the end of a block of a residual network (He et al. 2016).
// shortcut (N × C), or with data NULL.
void batch_norm_relu_forward(Matrix y, Matrix x, Matrix shortcut, Matrix mean, Matrix r, Matrix gain,
                             Matrix bias);
void batch_norm_relu_backward(Matrix d_x, Matrix d_shortcut, Matrix d_gain, Matrix d_bias, Matrix sums,
                              Matrix d_y, Matrix y, Matrix x, Matrix mean, Matrix r, Matrix gain,
                              bool from_batch);

#define NORM_EPSILON 1e-5f // where none is named; some checkpoints were trained with 1e-6 or 1e-12

#define layer_norm(x, gain, bias)                  layer_norm_at(HERE, x, gain, bias, NORM_EPSILON)
#define rms_norm(x, gain)                          rms_norm_at(HERE, x, gain, NORM_EPSILON)
#define batch_norm(x, gain, bias, state, training) batch_norm_at(HERE, x, gain, bias, state, training)
// max(0, batch_norm), fused; and max(0, batch_norm + shortcut), fused
#define batch_norm_relu(x, gain, bias, state, training)                                                      \
    batch_norm_relu_at(HERE, x, gain, bias, state, training)
#define batch_norm_add_relu(x, shortcut, gain, bias, state, training)                                        \
    batch_norm_add_relu_at(HERE, x, shortcut, gain, bias, state, training)
Tensor *layer_norm_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, float epsilon);
Tensor *rms_norm_at(Place place, Tensor *x, Tensor *gain, float epsilon);
Tensor *batch_norm_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, BatchNormState *state,
                      bool training);
Tensor *batch_norm_relu_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, BatchNormState *state,
                           bool training);
Tensor *batch_norm_add_relu_at(Place place, Tensor *x, Tensor *shortcut, Tensor *gain, Tensor *bias,
                               BatchNormState *state, bool training);
