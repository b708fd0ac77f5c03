// activation.c: functions of one element. See activation.h.
#include "learning/ops/activation.h"
#include "base/mathf.h"
#include "base/parallel.h"

#include <string.h>

void relu_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, {
        y.data[i] = x.data[i] < 0.0f ? 0.0f : x.data[i]; // a NaN stays one
    });
}

void relu_backward(Matrix d_x, Matrix d_y, Matrix y)
{
    if (!d_x.data) return;
    // y = max(0, x): slope 1 where y > 0, else 0
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] += y.data[i] > 0.0f ? d_y.data[i] : 0.0f);
}

void leaky_relu_forward(Matrix y, Matrix x, float slope)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = x.data[i] > 0.0f ? x.data[i] : slope * x.data[i]);
}

void leaky_relu_backward(Matrix d_x, Matrix d_y, Matrix x, float slope)
{
    if (!d_x.data) return;
    // y = x > 0 ? x : slope · x
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] += x.data[i] > 0.0f ? d_y.data[i] : slope * d_y.data[i]);
}

void sigmoid_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = sigmoid32(x.data[i]));
}

void sigmoid_backward(Matrix d_x, Matrix d_y, Matrix y)
{
    if (!d_x.data) return;
    // y = 1 / (1 + e⁻ˣ): dy/dx = y (1 − y)
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count,
                  d_x.data[i] = __builtin_fmaf(d_y.data[i], y.data[i] * (1.0f - y.data[i]), d_x.data[i]));
}

void hyperbolic_tangent_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = tanh32(x.data[i]));
}

void hyperbolic_tangent_backward(Matrix d_x, Matrix d_y, Matrix y)
{
    if (!d_x.data) return;
    // y = tanh x: dy/dx = 1 − y²
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count,
                  d_x.data[i] = __builtin_fmaf(d_y.data[i], 1.0f - y.data[i] * y.data[i], d_x.data[i]));
}

void gelu_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = gelu32(x.data[i]));
}

void gelu_backward(Matrix d_x, Matrix d_y, Matrix x)
{
    if (!d_x.data) return;
    // y = gelu32(x): its slope stands beside it in mathf.h
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] = __builtin_fmaf(d_y.data[i], gelu32_slope(x.data[i]), d_x.data[i]));
}

// (1 + tanh u) / 2 = sigmoid(2u), with 2u = 2 √(2/π) (x + 0.044715 x³). Below −20 the product is −0 to the last bit.
static const float TWO_ROOTS = 1.5957691f, CUBE = 0.044715f;

static inline float tanh_gelu32(float x)
{
    const float bounded = x < -20.0f ? -20.0f : x;
    return bounded * sigmoid32(TWO_ROOTS * bounded * (1.0f + CUBE * bounded * bounded));
}

static inline float tanh_gelu32_slope(float x)
{
    const float bounded = clamp32(x, -20.0f, 20.0f), square = bounded * bounded;
    const float s = sigmoid32(TWO_ROOTS * bounded * (1.0f + CUBE * square));
    return s + bounded * s * (1.0f - s) * TWO_ROOTS * (1.0f + 3.0f * CUBE * square);
}

void tanh_gelu_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = tanh_gelu32(x.data[i]));
}

void tanh_gelu_backward(Matrix d_x, Matrix d_y, Matrix x)
{
    if (!d_x.data) return;
    // y = x s, s = sigmoid(2u): dy/dx = s + x s (1 − s) · d 2u / dx
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count,
                  d_x.data[i] = __builtin_fmaf(d_y.data[i], tanh_gelu32_slope(x.data[i]), d_x.data[i]));
}

void silu_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = silu32(x.data[i]));
}

// Beyond ±120 the slope is 1 or 0 to the last bit; of an infinite x the product below would be ∞ · 0.
static inline float silu_slope(float x)
{
    float s = sigmoid32(x), bounded = clamp32(x, -120.0f, 120.0f);
    return s * (1.0f + bounded * (1.0f - s));
}

void silu_backward(Matrix d_x, Matrix d_y, Matrix x)
{
    if (!d_x.data) return;
    // y = x s, s = sigmoid(x): dy/dx = s + x s (1 − s) = s (1 + x (1 − s))
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] = __builtin_fmaf(d_y.data[i], silu_slope(x.data[i]), d_x.data[i]));
}

static void gated_silu_row(float *out, const float *a, const float *b, int cols)
{
    for (int j = 0; j < cols; j++) out[j] = silu32(a[j]) * b[j];
}

void swiglu_forward(Matrix y, Matrix x)
{
    const int cols = y.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 4), i, y.rows, {
        const float *a = matrix_row(x, i);
        gated_silu_row(matrix_row(y, i), a, a + cols, cols);
    });
}

void gated_silu_forward(Matrix y, Matrix a, Matrix b)
{
    PARALLEL_FOR(parallel_worth(matrix_size(y) * 8), i, y.rows,
                 gated_silu_row(matrix_row(y, i), matrix_row(a, i), matrix_row(b, i), y.cols));
}

void swiglu_backward(Matrix d_x, Matrix d_y, Matrix x)
{
    if (!d_x.data) return;
    // y = silu(a) ⊙ b
    const int cols = d_y.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 4), i, d_y.rows, {
        const float *a = matrix_row(x, i), *b = a + cols, *d = matrix_row(d_y, i);
        float *restrict d_a = matrix_row(d_x, i), *restrict d_b = d_a + cols;
        for (int j = 0; j < cols; j++) {
            d_a[j] = __builtin_fmaf(d[j] * b[j], silu_slope(a[j]), d_a[j]);
            d_b[j] = __builtin_fmaf(d[j], silu32(a[j]), d_b[j]);
        }
    });
}

void softplus_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = softplus32(x.data[i]));
}

void softplus_backward(Matrix d_x, Matrix d_y, Matrix x)
{
    if (!d_x.data) return;
    // y = log(1 + eˣ): dy/dx = eˣ / (1 + eˣ) = sigmoid(x)
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] = __builtin_fmaf(d_y.data[i], sigmoid32(x.data[i]), d_x.data[i]));
}

void exponential_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = exp32(x.data[i]));
}

void exponential_backward(Matrix d_x, Matrix d_y, Matrix y)
{
    if (!d_x.data) return;
    // y = eˣ: dy/dx = y
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] = __builtin_fmaf(d_y.data[i], y.data[i], d_x.data[i]));
}

void sine_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = sin32(x.data[i]));
}

void sine_backward(Matrix d_x, Matrix d_y, Matrix x)
{
    if (!d_x.data) return;
    // y = sin x: dy/dx = cos x
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] = __builtin_fmaf(d_y.data[i], cos32(x.data[i]), d_x.data[i]));
}

// ---- Taped ------------------------------------------------------------------------------------------------

static Tensor *element_wise(Place place, const char *name, Tensor *x, BackwardStep step,
                            void (*forward)(Matrix, Matrix))
{
    Tensor *y = tensor_node(place, name, x->value.rows, x->value.cols, step, 0, 1, x);
    forward(y->value, x->value);
    return y;
}

// Often the largest tensors of a network: where nothing has been written yet, one pass instead of three.
static void relu_step(Tensor *self)
{
    bool accumulate;
    const Matrix d_y = self->gradient, y = self->value,
                 d_x = tensor_gradient_in_place(self->inputs[0], self, &accumulate);
    if (accumulate) {
        relu_backward(d_x, d_y, y);
        return;
    }
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] = y.data[i] > 0.0f ? d_y.data[i] : 0.0f);
}

Tensor *relu_at(Place place, Tensor *x) { return element_wise(place, "relu", x, relu_step, relu_forward); }

static void leaky_relu_step(Tensor *self)
{
    float slope = *(const float *)self->context;
    leaky_relu_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value, slope);
}

Tensor *leaky_relu_at(Place place, Tensor *x, float slope)
{
    Tensor *y =
        tensor_node(place, "leaky_relu", x->value.rows, x->value.cols, leaky_relu_step, sizeof slope, 1, x);
    memcpy(y->context, &slope, sizeof slope);
    leaky_relu_forward(y->value, x->value, slope);
    return y;
}

static void sigmoid_step(Tensor *self)
{
    sigmoid_backward(tensor_gradient(self->inputs[0]), self->gradient, self->value);
}

Tensor *sigmoid_at(Place place, Tensor *x)
{
    return element_wise(place, "sigmoid", x, sigmoid_step, sigmoid_forward);
}

static void hyperbolic_tangent_step(Tensor *self)
{
    hyperbolic_tangent_backward(tensor_gradient(self->inputs[0]), self->gradient, self->value);
}

Tensor *hyperbolic_tangent_at(Place place, Tensor *x)
{
    return element_wise(place, "hyperbolic_tangent", x, hyperbolic_tangent_step, hyperbolic_tangent_forward);
}

static void gelu_step(Tensor *self)
{
    gelu_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value);
}

Tensor *gelu_at(Place place, Tensor *x) { return element_wise(place, "gelu", x, gelu_step, gelu_forward); }

static void tanh_gelu_step(Tensor *self)
{
    tanh_gelu_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value);
}

Tensor *tanh_gelu_at(Place place, Tensor *x)
{
    return element_wise(place, "tanh_gelu", x, tanh_gelu_step, tanh_gelu_forward);
}

static void silu_step(Tensor *self)
{
    silu_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value);
}

Tensor *silu_at(Place place, Tensor *x) { return element_wise(place, "silu", x, silu_step, silu_forward); }

static void swiglu_step(Tensor *self)
{
    swiglu_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value);
}

Tensor *swiglu_at(Place place, Tensor *x)
{
    check_at(place, x->value.cols % 2 == 0, "the left half is the gate of the right half",
             "swiglu: x (%d × %d)", x->value.rows, x->value.cols);
    Tensor *y = tensor_node(place, "swiglu", x->value.rows, x->value.cols / 2, swiglu_step, 0, 1, x);
    swiglu_forward(y->value, x->value);
    return y;
}

static void softplus_step(Tensor *self)
{
    softplus_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value);
}

Tensor *softplus_at(Place place, Tensor *x)
{
    return element_wise(place, "softplus", x, softplus_step, softplus_forward);
}

static void exponential_step(Tensor *self)
{
    exponential_backward(tensor_gradient(self->inputs[0]), self->gradient, self->value);
}

Tensor *exponential_at(Place place, Tensor *x)
{
    return element_wise(place, "exponential", x, exponential_step, exponential_forward);
}

static void sine_step(Tensor *self)
{
    sine_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value);
}

Tensor *sine_at(Place place, Tensor *x) { return element_wise(place, "sine", x, sine_step, sine_forward); }

// A call through a pointer has no place of its own.
Tensor *(relu)(Tensor *x) { return relu(x); }
Tensor *(sigmoid)(Tensor *x) { return sigmoid(x); }
Tensor *(hyperbolic_tangent)(Tensor *x) { return hyperbolic_tangent(x); }
Tensor *(gelu)(Tensor *x) { return gelu(x); }
Tensor *(tanh_gelu)(Tensor *x) { return tanh_gelu(x); }
Tensor *(silu)(Tensor *x) { return silu(x); }
Tensor *(swiglu)(Tensor *x) { return swiglu(x); }
Tensor *(softplus)(Tensor *x) { return softplus(x); }
Tensor *(exponential)(Tensor *x) { return exponential(x); }
Tensor *(sine)(Tensor *x) { return sine(x); }
