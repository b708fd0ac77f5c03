// recurrent.h: layers that mix a position with its past: recurrent cells, linear recurrences, causal convolution.
//
// A batch of sequences is one matrix: row b · time + t holds the features of sequence b at time t. Every layer here
// takes such a matrix and gives one of the same number of rows. The input product of the whole sequence is made at
// once; only the product with the state waits for the step before.
//
// Shapes: B sequences, T time steps, I inputs, H hidden units, C channels, k taps.
//
// Backward functions add to the gradients they are given and skip those whose data is NULL. scratch serves during
// the call only: the recurrent weights stand there in the order in which they are read, once for all steps.
#pragma once
#include "learning/tensor.h"

typedef struct {
    int batch, time; // a matrix with batch · time rows
} Sequences;

static inline int sequences_rows(Sequences s) { return s.batch * s.time; }

// What a network remembers between two pieces of one long text (truncated backpropagation through time): read
// before the first step, overwritten after the last, and taken for a constant by the backward pass. Begins as zeros.
typedef struct {
    Matrix hidden; // (B × H)
    Matrix cell;   // (B × H), for the LSTM
} RecurrentState;
RecurrentState recurrent_state_new(Arena *arena, int batch, int hidden);

// ---- Elman's network (1990): h_t = f(x_t·w + h_{t−1}·u + b) ----------------------------------------------------
// w (I × H), u (H × H), b (1 × H). With RNN_LINEAR it is the state equation of a linear system, x' = Ax + Bu.
typedef enum { RNN_LINEAR, RNN_TANH, RNN_RELU } RnnKind;

// h (B·T × H): all states; before (B × H): the state before the first step, data NULL for zeros
void rnn_forward(Arena *scratch, Matrix h, Matrix x, Matrix w, Matrix u, Matrix b, Matrix before,
                 Sequences shape, RnnKind kind);
// d_z (B·T × H) receives the gradient before the activation
void rnn_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_u, Matrix d_b, Matrix d_z, Matrix d_h,
                  Matrix h, Matrix x, Matrix w, Matrix u, Matrix before, Sequences shape, RnnKind kind);

// ---- LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000) --------------------------------------
// Columns of w (I × 4H), u (H × 4H) and b (1 × 4H) in the order i, f, g, o: input gate, forget gate, candidate, output
// gate. c_t = f ⊙ c_{t−1} + i ⊙ g, h_t = o ⊙ tanh(c_t); i, f, o through the sigmoid, g through tanh.
// gates (B·T × 4H), after their activations, and c (B·T × H) are kept for the backward.
void lstm_forward(Arena *scratch, Matrix h, Matrix c, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b,
                  RecurrentState before, Sequences shape);
// d_gates (B·T × 4H) receives the gradient before the activations
void lstm_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_u, Matrix d_b, Matrix d_gates, Matrix d_h,
                   Matrix h, Matrix c, Matrix gates, Matrix x, Matrix w, Matrix u, RecurrentState before,
                   Sequences shape);

// ---- GRU (Cho et al. 2014, in the form that cuDNN and PyTorch compute) --------------------------------------------
// Columns of w (I × 3H), u (H × 3H), b (1 × 3H) and b_u (1 × 3H) in the order r, z, n: reset, update, candidate.
// n = tanh(x·w_n + b_n + r ⊙ (h_{t−1}·u_n + b_un)), h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}.
// gates (B·T × 4H) keeps r, z, n and h_{t−1}·u_n + b_un.
// d_gates (B·T × 4H) receives the gradient before the activations, and in its last columns that of h_{t−1}·u_n + b_un.
void gru_forward(Arena *scratch, Matrix h, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b, Matrix b_u,
                 Matrix before, Sequences shape);
void gru_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_u, Matrix d_b, Matrix d_b_u,
                  Matrix d_gates, Matrix d_h, Matrix h, Matrix gates, Matrix x, Matrix w, Matrix u,
                  Matrix before, Sequences shape);

// ---- Linear recurrence: h_t = a_t ⊙ h_{t−1} + x_t, h_{−1} = 0 ------------------------------------------------------
// a is (1 × C), the same for all steps, or (B·T × C), one for each. The scan (Blelloch 1990) composes pairs
// (a, x) ∘ (a', x') = (a'a, a'x + x') in log T rounds: another order of summation, equal to rounding.
void linear_recurrence_forward(Matrix h, Matrix a, Matrix x, Sequences shape);
void linear_recurrence_backward(Matrix d_a, Matrix d_x, Matrix d_h, Matrix h, Matrix a, Sequences shape);
void linear_recurrence_scan(Arena *scratch, Matrix h, Matrix a, Matrix x, Sequences shape);

// ---- Causal convolution: y_t = Σ_j w_j ⊙ x_{t−j}, j = 0 … k−1, x before the first step being 0 -----------------------
// Depthwise: x, y (B·T × C), w (k × C)
void causal_conv_forward(Matrix y, Matrix x, Matrix w, Sequences shape);
void causal_conv_backward(Matrix d_x, Matrix d_w, Matrix d_y, Matrix x, Matrix w, Sequences shape);

// ---- Naive twins: one loop a letter, one number at a time; the oracles of the tests ------------------------------------
void rnn_naive_forward(Matrix h, Matrix x, Matrix w, Matrix u, Matrix b, Matrix before, Sequences shape,
                       RnnKind kind);
void lstm_naive_forward(Matrix h, Matrix c, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b,
                        RecurrentState before, Sequences shape);
void gru_naive_forward(Matrix h, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b, Matrix b_u,
                       Matrix before, Sequences shape);

// ---- Taped ------------------------------------------------------------------------------------------------------------
// All give (B·T × H): every state. The last ones: last_steps. state may be NULL: zeros before, nothing kept after.
#define rnn(x, w, u, b, shape, kind, state) rnn_at(HERE, x, w, u, b, shape, kind, state)
#define lstm(x, w, u, b, shape, state)      lstm_at(HERE, x, w, u, b, shape, state)
#define gru(x, w, u, b, b_u, shape, state)  gru_at(HERE, x, w, u, b, b_u, shape, state)
#define linear_recurrence(a, x, shape)      linear_recurrence_at(HERE, a, x, shape)
#define causal_conv(x, w, shape)            causal_conv_at(HERE, x, w, shape)
#define last_steps(x, shape)                last_steps_at(HERE, x, shape) // (B·T × C) → (B × C)
Tensor *rnn_at(Place place, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Sequences shape, RnnKind kind,
               RecurrentState *state);
Tensor *lstm_at(Place place, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Sequences shape,
                RecurrentState *state);
Tensor *gru_at(Place place, Tensor *x, Tensor *w, Tensor *u, Tensor *b, Tensor *b_u, Sequences shape,
               RecurrentState *state);
Tensor *linear_recurrence_at(Place place, Tensor *a, Tensor *x, Sequences shape);
Tensor *causal_conv_at(Place place, Tensor *x, Tensor *w, Sequences shape);
Tensor *last_steps_at(Place place, Tensor *x, Sequences shape);
