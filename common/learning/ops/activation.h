// activation.h: functions of one element, between the layers.
//
// Shapes: x, y, d_x and d_y all (N × C). Forward may work in place where the backward needs only y. A
// backward function adds to d_x and does nothing when its data is NULL. At a kink (relu at 0) the slope is
// that of the left side. Infinite x give the limits, NaN gives NaN. The slopes of sigmoid and tanh are made from y, which
// has been rounded: where y is within 1e-5 of ±1 they are right to 6e-8, not in their digits.
#pragma once
#include "learning/tensor.h"

void relu_forward(Matrix y, Matrix x); // max(0, x)
void relu_backward(Matrix d_x, Matrix d_y, Matrix y);

void leaky_relu_forward(Matrix y, Matrix x, float slope); // x, or slope · x below 0
void leaky_relu_backward(Matrix d_x, Matrix d_y, Matrix x, float slope);

void sigmoid_forward(Matrix y, Matrix x); // 1 / (1 + e⁻ˣ)
void sigmoid_backward(Matrix d_x, Matrix d_y, Matrix y);

void hyperbolic_tangent_forward(Matrix y, Matrix x);
void hyperbolic_tangent_backward(Matrix d_x, Matrix d_y, Matrix y);

void gelu_forward(Matrix y, Matrix x); // x Φ(x), Hendrycks and Gimpel 2016; the form is that of base/mathf.h
void gelu_backward(Matrix d_x, Matrix d_y, Matrix x);

// x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))): the approximation of the same paper, with which GPT-2 was trained
void tanh_gelu_forward(Matrix y, Matrix x);
void tanh_gelu_backward(Matrix d_x, Matrix d_y, Matrix x);

void silu_forward(Matrix y, Matrix x); // x · sigmoid(x)
void silu_backward(Matrix d_x, Matrix d_y, Matrix x);

// y = silu(a) ⊙ b for the halves of each row of x (N × 2C), a left and b right: SwiGLU (Shazeer 2020, eq. 6)
void swiglu_forward(Matrix y, Matrix x);
void gated_silu_forward(Matrix y, Matrix a,
                        Matrix b); // the same of two matrices (N × C); y may be one of them
void swiglu_backward(Matrix d_x, Matrix d_y, Matrix x);

void softplus_forward(Matrix y, Matrix x); // log(1 + eˣ)
void softplus_backward(Matrix d_x, Matrix d_y, Matrix x);

void exponential_forward(Matrix y, Matrix x);
void exponential_backward(Matrix d_x, Matrix d_y, Matrix y);

void sine_forward(Matrix y, Matrix x);
void sine_backward(Matrix d_x, Matrix d_y, Matrix x);

#define relu(x)               relu_at(HERE, x)
#define leaky_relu(x, slope)  leaky_relu_at(HERE, x, slope)
#define sigmoid(x)            sigmoid_at(HERE, x)
#define hyperbolic_tangent(x) hyperbolic_tangent_at(HERE, x)
#define gelu(x)               gelu_at(HERE, x)
#define tanh_gelu(x)          tanh_gelu_at(HERE, x)
#define silu(x)               silu_at(HERE, x)
#define swiglu(x)             swiglu_at(HERE, x) // (N × 2C) → (N × C)
#define softplus(x)           softplus_at(HERE, x)
#define exponential(x)        exponential_at(HERE, x)
#define sine(x)               sine_at(HERE, x)
Tensor *relu_at(Place place, Tensor *x);
Tensor *leaky_relu_at(Place place, Tensor *x, float slope);
Tensor *sigmoid_at(Place place, Tensor *x);
Tensor *hyperbolic_tangent_at(Place place, Tensor *x);
Tensor *gelu_at(Place place, Tensor *x);
Tensor *tanh_gelu_at(Place place, Tensor *x);
Tensor *silu_at(Place place, Tensor *x);
Tensor *swiglu_at(Place place, Tensor *x);
Tensor *softplus_at(Place place, Tensor *x);
Tensor *exponential_at(Place place, Tensor *x);
Tensor *sine_at(Place place, Tensor *x);

// The same as functions, for those who choose one: Tensor *(*activation)(Tensor *) = relu. The macros above stand for calls
// only.
Tensor *(relu)(Tensor *x);
Tensor *(sigmoid)(Tensor *x);
Tensor *(hyperbolic_tangent)(Tensor *x);
Tensor *(gelu)(Tensor *x);
Tensor *(tanh_gelu)(Tensor *x);
Tensor *(silu)(Tensor *x);
Tensor *(swiglu)(Tensor *x);
Tensor *(softplus)(Tensor *x);
Tensor *(exponential)(Tensor *x);
Tensor *(sine)(Tensor *x);
