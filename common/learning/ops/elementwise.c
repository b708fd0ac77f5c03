// elementwise.c: see elementwise.h.
#include "learning/ops/elementwise.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/columns.h"
#include "matrix/lanes.h"

#include <math.h>
#include <string.h>

// ---- Functions of one element ------------------------------------------------------------------------------

void logarithm_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = log32(x.data[i]));
}

void logarithm_backward(Matrix d_x, Matrix d_y, Matrix x)
{
    if (!d_x.data) return;
    // y = log x: dy/dx = 1 / x
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] += d_y.data[i] / x.data[i]);
}

void square_root_forward(Matrix y, Matrix x)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = sqrtf(x.data[i]));
}

void square_root_backward(Matrix d_x, Matrix d_y, Matrix y)
{
    if (!d_x.data) return;
    // y = √x: dy/dx = 1 / (2y)
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] += 0.5f * d_y.data[i] / y.data[i]);
}

void clamp_forward(Matrix y, Matrix x, float low, float high)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, {
        float above = x.data[i] < low ? low : x.data[i];
        y.data[i] = above > high ? high : above;
    });
}

void clamp_backward(Matrix d_x, Matrix d_y, Matrix x, float low, float high)
{
    if (!d_x.data) return;
    // y = min(max(x, low), high): slope 1 where low ≤ x ≤ high, else 0
    size_t count = matrix_size(d_x);
    PARALLEL_EACH(i, count, d_x.data[i] += x.data[i] >= low && x.data[i] <= high ? d_y.data[i] : 0.0f);
}

// ---- Two operands --------------------------------------------------------------------------------------------

void quotient_forward(Matrix y, Matrix a, Matrix b)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, y.data[i] = a.data[i] / b.data[i]);
}

void quotient_backward(Matrix d_a, Matrix d_b, Matrix d_y, Matrix y, Matrix b)
{
    size_t count = matrix_size(d_y);
    // y = a / b: dy/da = 1 / b
    if (d_a.data) {
        PARALLEL_EACH(i, count, d_a.data[i] += d_y.data[i] / b.data[i]);
    }
    // dy/db = −a / b² = −y / b
    if (d_b.data) {
        PARALLEL_EACH(i, count, d_b.data[i] -= d_y.data[i] * y.data[i] / b.data[i]);
    }
}

void minimum_forward(Matrix y, Matrix a, Matrix b)
{
    size_t count = matrix_size(y);
    PARALLEL_EACH(i, count, {
        float smaller = b.data[i] < a.data[i] ? b.data[i] : a.data[i];
        y.data[i] = b.data[i] != b.data[i] ? b.data[i] : smaller;
    });
}

void minimum_backward(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    size_t count = matrix_size(d_y);
    // y = b < a ? b : a: the slope is 1 for the one that was taken, 0 for the other
    if (d_a.data) {
        PARALLEL_EACH(i, count, d_a.data[i] += b.data[i] < a.data[i] ? 0.0f : d_y.data[i]);
    }
    if (d_b.data) {
        PARALLEL_EACH(i, count, d_b.data[i] += b.data[i] < a.data[i] ? d_y.data[i] : 0.0f);
    }
}

// ---- Rows and columns ----------------------------------------------------------------------------------------

void multiply_column_backward(Matrix d_x, Matrix d_factors, Matrix d_y, Matrix x, Matrix factors)
{
    PARALLEL_FOR(parallel_worth(matrix_size(d_y)), i, d_y.rows, {
        // y_ij = f_i x_ij: d_x_ij = f_i d_y_ij and d_f_i = Σ_j x_ij d_y_ij
        const float *d_out = matrix_row(d_y, i), factor = factors.data[i];
        if (d_x.data) {
            float *d_in = matrix_row(d_x, i);
            for (int j = 0; j < d_y.cols; j++) d_in[j] = __builtin_fmaf(factor, d_out[j], d_in[j]);
        }
        if (d_factors.data) d_factors.data[i] += lanes_dot(matrix_row(x, i), d_out, d_y.cols);
    });
}

void multiply_row_backward(Matrix d_x, Matrix d_factors, Matrix d_y, Matrix x, Matrix factors)
{
    if (d_x.data) {
        // y_ij = f_j x_ij: d_x_ij = f_j d_y_ij
        PARALLEL_FOR(parallel_worth(matrix_size(d_y)), i, d_y.rows, {
            const float *d_out = matrix_row(d_y, i);
            float *d_in = matrix_row(d_x, i);
            for (int j = 0; j < d_y.cols; j++) d_in[j] = __builtin_fmaf(factors.data[j], d_out[j], d_in[j]);
        });
    }
    if (d_factors.data) add_column_dots(d_factors, d_y, x); // d_f_j = Σ_i x_ij d_y_ij
}

// The largest element is divided off before squaring, or rows beyond 1e19 would have an infinite length.
static float length_of_row(const float *row, int cols)
{
    float most = 0.0f;
    for (int j = 0; j < cols; j++) most = !(fabsf(row[j]) <= most) ? fabsf(row[j]) : most;
    if (!(most > 0.0f) || isinf(most)) return most;
    Lanes total = {0};
    for (int j = 0; j < cols; j++) total[j % LANES] += (row[j] / most) * (row[j] / most);
    return most * sqrtf(lanes_join(&total));
}

void normalise_rows_forward(Matrix y, Matrix lengths, Matrix x, float epsilon)
{
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 4), i, x.rows, {
        const float *in = matrix_row(x, i), length = length_of_row(in, x.cols);
        float *out = matrix_row(y, i), divisor = length < epsilon ? epsilon : length;
        lengths.data[i] = divisor;
        for (int j = 0; j < x.cols; j++) out[j] = in[j] / divisor;
    });
}

void normalise_rows_backward(Matrix d_x, Matrix d_y, Matrix y, Matrix lengths, float epsilon)
{
    if (!d_x.data) return;
    // y = x / r, r = ‖x‖: dy_j/dx_k = ([j = k] − y_j y_k) / r, so d_x = (d_y − ⟨d_y, y⟩ y) / r; for the constant r = ε the
    // second part is not there
    PARALLEL_FOR(parallel_worth(matrix_size(y) * 2), i, y.rows, {
        const float *out = matrix_row(y, i), *d_out = matrix_row(d_y, i), length = lengths.data[i];
        float *d_in = matrix_row(d_x, i);
        const float overlap = length > epsilon ? lanes_dot(d_out, out, y.cols) : 0.0f;
        for (int j = 0; j < y.cols; j++) d_in[j] += (d_out[j] - overlap * out[j]) / length;
    });
}

// ---- Taped ---------------------------------------------------------------------------------------------------

static void logarithm_step(Tensor *self)
{
    logarithm_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value);
}

Tensor *logarithm_at(Place place, Tensor *x)
{
    Tensor *y = tensor_node(place, "logarithm", x->value.rows, x->value.cols, logarithm_step, 0, 1, x);
    logarithm_forward(y->value, x->value);
    return y;
}

static void square_root_step(Tensor *self)
{
    square_root_backward(tensor_gradient(self->inputs[0]), self->gradient, self->value);
}

Tensor *square_root_at(Place place, Tensor *x)
{
    Tensor *y = tensor_node(place, "square_root", x->value.rows, x->value.cols, square_root_step, 0, 1, x);
    square_root_forward(y->value, x->value);
    return y;
}

typedef struct {
    float low, high;
} Bounds;

static void tensor_clamp_step(Tensor *self)
{
    const Bounds *bounds = self->context;
    clamp_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[0]->value, bounds->low,
                   bounds->high);
}

Tensor *tensor_clamp_at(Place place, Tensor *x, float low, float high)
{
    check_at(place, low <= high, "the lower bound comes first", "tensor_clamp: from %g to %g", (double)low,
             (double)high);
    const Bounds bounds = {low, high};
    Tensor *y = tensor_node(place, "tensor_clamp", x->value.rows, x->value.cols, tensor_clamp_step,
                            sizeof bounds, 1, x);
    memcpy(y->context, &bounds, sizeof bounds);
    clamp_forward(y->value, x->value, low, high);
    return y;
}

static void tensor_divide_step(Tensor *self)
{
    quotient_backward(tensor_gradient(self->inputs[0]), tensor_gradient(self->inputs[1]), self->gradient,
                      self->value, self->inputs[1]->value);
}

Tensor *tensor_divide_at(Place place, Tensor *a, Tensor *b)
{
    tensor_need_same(place, "tensor_divide", a, b);
    Tensor *y =
        tensor_node(place, "tensor_divide", a->value.rows, a->value.cols, tensor_divide_step, 0, 2, a, b);
    quotient_forward(y->value, a->value, b->value);
    return y;
}

static void tensor_minimum_step(Tensor *self)
{
    minimum_backward(tensor_gradient(self->inputs[0]), tensor_gradient(self->inputs[1]), self->gradient,
                     self->inputs[0]->value, self->inputs[1]->value);
}

Tensor *tensor_minimum_at(Place place, Tensor *a, Tensor *b)
{
    tensor_need_same(place, "tensor_minimum", a, b);
    Tensor *y =
        tensor_node(place, "tensor_minimum", a->value.rows, a->value.cols, tensor_minimum_step, 0, 2, a, b);
    minimum_forward(y->value, a->value, b->value);
    return y;
}

static void tensor_multiply_column_step(Tensor *self)
{
    multiply_column_backward(tensor_gradient(self->inputs[0]), tensor_gradient(self->inputs[1]),
                             self->gradient, self->inputs[0]->value, self->inputs[1]->value);
}

Tensor *tensor_multiply_column_at(Place place, Tensor *x, Tensor *factors)
{
    check_at(place, factors->value.rows == x->value.rows && factors->value.cols == 1,
             "one factor for each row", "tensor_multiply_column: x (%d × %d), factors (%d × %d)",
             x->value.rows, x->value.cols, factors->value.rows, factors->value.cols);
    Tensor *y = tensor_node(place, "tensor_multiply_column", x->value.rows, x->value.cols,
                            tensor_multiply_column_step, 0, 2, x, factors);
    copy(y->value, x->value);
    multiply_column(y->value, factors->value);
    return y;
}

static void tensor_multiply_row_step(Tensor *self)
{
    multiply_row_backward(tensor_gradient(self->inputs[0]), tensor_gradient(self->inputs[1]), self->gradient,
                          self->inputs[0]->value, self->inputs[1]->value);
}

Tensor *tensor_multiply_row_at(Place place, Tensor *x, Tensor *factors)
{
    check_at(place, factors->value.rows == 1 && factors->value.cols == x->value.cols,
             "one factor for each column", "tensor_multiply_row: x (%d × %d), factors (%d × %d)",
             x->value.rows, x->value.cols, factors->value.rows, factors->value.cols);
    Tensor *y = tensor_node(place, "tensor_multiply_row", x->value.rows, x->value.cols,
                            tensor_multiply_row_step, 0, 2, x, factors);
    copy(y->value, x->value);
    multiply_row(y->value, factors->value);
    return y;
}

static void scale_by_step(Tensor *self)
{
    // y = s x: d_x = s d_y and d_s = Σ x ⊙ d_y, rows in single precision, joined in double
    Matrix d_x = tensor_gradient(self->inputs[0]), d_s = tensor_gradient(self->inputs[1]);
    const Matrix x = self->inputs[0]->value, d_y = self->gradient;
    if (d_x.data) add_scaled(d_x, self->inputs[1]->value.data[0], d_y);
    if (!d_s.data) return;
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) total += (double)lanes_dot(matrix_row(x, i), matrix_row(d_y, i), x.cols);
    d_s.data[0] += (float)total;
}

Tensor *scale_by_at(Place place, Tensor *x, Tensor *s)
{
    check_at(place, matrix_size(s->value) == 1, "the factor is one number, (1 × 1)",
             "scale_by: the factor is (%d × %d)", s->value.rows, s->value.cols);
    Tensor *y = tensor_node(place, "scale_by", x->value.rows, x->value.cols, scale_by_step, 0, 2, x, s);
    copy(y->value, x->value);
    scale(y->value, s->value.data[0]);
    return y;
}

typedef struct {
    Matrix lengths;
    float epsilon;
} Normalised;

static void normalise_rows_step(Tensor *self)
{
    const Normalised *context = self->context;
    normalise_rows_backward(tensor_gradient(self->inputs[0]), self->gradient, self->value, context->lengths,
                            context->epsilon);
}

Tensor *normalise_rows_at(Place place, Tensor *x, float epsilon)
{
    check_at(place, epsilon >= 0.0f, "ε is a small positive number, or 0", "normalise_rows: ε = %g",
             (double)epsilon);
    Tensor *y = tensor_node(place, "normalise_rows", x->value.rows, x->value.cols, normalise_rows_step,
                            sizeof(Normalised), 1, x);
    const Normalised context = {matrix_uninitialised_at(place, tape_arena(y->tape), x->value.rows, 1),
                                epsilon};
    memcpy(y->context, &context, sizeof context);
    normalise_rows_forward(y->value, context.lengths, x->value, epsilon);
    return y;
}
