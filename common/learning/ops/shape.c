// shape.c: sums, slices, reductions, dropout. See shape.h.
#include "learning/ops/shape.h"
#include "base/check.h"
#include "base/parallel.h"
#include "matrix/columns.h"

#include <limits.h>
#include <math.h>
#include <string.h>

// The gradient of t += s · d. Where nothing has been written yet it is overwritten: one pass instead of
// three.
static void give_scaled(Tensor *t, float s, Matrix d)
{
    bool accumulate;
    Matrix out = tensor_gradient_raw(t, &accumulate);
    if (!out.data) return;
    size_t count = matrix_size(out);
    if (accumulate) {
        PARALLEL_EACH(i, count, out.data[i] = __builtin_fmaf(s, d.data[i], out.data[i]));
    } else {
        PARALLEL_EACH(i, count, out.data[i] = s * d.data[i]);
    }
}

// ---- Element by element -----------------------------------------------------------------------------------

static void tensor_add_step(Tensor *self)
{
    // y = a + b
    give_scaled(self->inputs[0], 1.0f, self->gradient);
    tensor_pass_gradient(self->inputs[1], self);
}

static void tensor_add_row_step(Tensor *self)
{
    // y_ij = a_ij + b_j
    Matrix d_b = tensor_gradient(self->inputs[1]);
    if (d_b.data) add_column_sums(d_b, self->gradient);
    tensor_pass_gradient(self->inputs[0], self);
}

Tensor *tensor_add_at(Place place, Tensor *a, Tensor *b)
{
    bool row = b->value.rows == 1 && b->value.cols == a->value.cols && a->value.rows != 1;
    if (!row) tensor_need_same(place, "tensor_add", a, b);
    Tensor *y = tensor_node(place, "tensor_add", a->value.rows, a->value.cols,
                            row ? tensor_add_row_step : tensor_add_step, 0, 2, a, b);
    if (row) {
        copy(y->value, a->value);
        add_row(y->value, b->value);
    } else {
        add(y->value, a->value, b->value);
    }
    return y;
}

static void tensor_subtract_step(Tensor *self)
{
    // y = a − b
    give_scaled(self->inputs[0], 1.0f, self->gradient);
    give_scaled(self->inputs[1], -1.0f, self->gradient);
}

Tensor *tensor_subtract_at(Place place, Tensor *a, Tensor *b)
{
    tensor_need_same(place, "tensor_subtract", a, b);
    Tensor *y =
        tensor_node(place, "tensor_subtract", a->value.rows, a->value.cols, tensor_subtract_step, 0, 2, a, b);
    subtract(y->value, a->value, b->value);
    return y;
}

// d += d_y ⊙ other
static void multiply_backward(Matrix d, Matrix d_y, Matrix other)
{
    if (!d.data) return;
    size_t count = matrix_size(d);
    PARALLEL_EACH(i, count, d.data[i] = __builtin_fmaf(d_y.data[i], other.data[i], d.data[i]));
}

static void tensor_multiply_step(Tensor *self)
{
    // y = a ⊙ b
    multiply_backward(tensor_gradient(self->inputs[0]), self->gradient, self->inputs[1]->value);
    multiply_backward(tensor_gradient(self->inputs[1]), self->gradient, self->inputs[0]->value);
}

Tensor *tensor_multiply_at(Place place, Tensor *a, Tensor *b)
{
    tensor_need_same(place, "tensor_multiply", a, b);
    Tensor *y =
        tensor_node(place, "tensor_multiply", a->value.rows, a->value.cols, tensor_multiply_step, 0, 2, a, b);
    multiply(y->value, a->value, b->value);
    return y;
}

static void tensor_scale_step(Tensor *self)
{
    // y = s · x
    give_scaled(self->inputs[0], *(const float *)self->context, self->gradient);
}

Tensor *tensor_scale_at(Place place, Tensor *x, float s)
{
    Tensor *y =
        tensor_node(place, "tensor_scale", x->value.rows, x->value.cols, tensor_scale_step, sizeof s, 1, x);
    memcpy(y->context, &s, sizeof s);
    copy(y->value, x->value);
    scale(y->value, s);
    return y;
}

// ---- Joining and cutting ----------------------------------------------------------------------------------

// d (N × ·) += columns first … of d_y (N × ·); both given as the place of their first element and the length
// of their rows
static void add_block(float *d, int d_stride, const float *d_y, int y_stride, int rows, int cols)
{
    for (int i = 0; i < rows; i++) {
        float *restrict out = d + (size_t)i * (size_t)d_stride;
        const float *restrict in = d_y + (size_t)i * (size_t)y_stride;
        for (int j = 0; j < cols; j++) out[j] += in[j];
    }
}

static void concat_columns_step(Tensor *self)
{
    // y = [a b]: each takes its columns
    Matrix d_y = self->gradient;
    int left = self->inputs[0]->value.cols, right = self->inputs[1]->value.cols;
    Matrix d_a = tensor_gradient(self->inputs[0]);
    if (d_a.data) add_block(d_a.data, left, d_y.data, d_y.cols, d_y.rows, left);
    Matrix d_b = tensor_gradient(self->inputs[1]);
    if (d_b.data) add_block(d_b.data, right, d_y.data + left, d_y.cols, d_y.rows, right);
}

Tensor *concat_columns_at(Place place, Tensor *a, Tensor *b)
{
    Matrix left = a->value, right = b->value;
    check_at(place, left.rows == right.rows, "both must have the same number of rows",
             "concat_columns: (%d × %d) and (%d × %d)", left.rows, left.cols, right.rows, right.cols);
    check_at(place, left.cols <= INT_MAX - right.cols, "join less", "concat_columns: %d and %d columns",
             left.cols, right.cols);
    Tensor *y = tensor_node(place, "concat_columns", left.rows, left.cols + right.cols, concat_columns_step,
                            0, 2, a, b);
    copy_columns(y->value, 0, left, 0, left.cols);
    copy_columns(y->value, left.cols, right, 0, right.cols);
    return y;
}

static void concat_rows_step(Tensor *self)
{
    // y = [a; b]: each takes its rows
    int above = self->inputs[0]->value.rows, below = self->inputs[1]->value.rows;
    give_scaled(self->inputs[0], 1.0f, matrix_rows(self->gradient, 0, above));
    give_scaled(self->inputs[1], 1.0f, matrix_rows(self->gradient, above, below));
}

Tensor *concat_rows_at(Place place, Tensor *a, Tensor *b)
{
    Matrix above = a->value, below = b->value;
    check_at(place, above.cols == below.cols, "both must have the same number of columns",
             "concat_rows: (%d × %d) and (%d × %d)", above.rows, above.cols, below.rows, below.cols);
    check_at(place, above.rows <= INT_MAX - below.rows, "join less", "concat_rows: %d and %d rows",
             above.rows, below.rows);
    Tensor *y =
        tensor_node(place, "concat_rows", above.rows + below.rows, above.cols, concat_rows_step, 0, 2, a, b);
    copy(matrix_rows(y->value, 0, above.rows), above);
    copy(matrix_rows(y->value, above.rows, below.rows), below);
    return y;
}

static void slice_columns_step(Tensor *self)
{
    // y = columns first … of x
    Matrix d_x = tensor_gradient(self->inputs[0]), d_y = self->gradient;
    if (d_x.data)
        add_block(d_x.data + *(const int *)self->context, d_x.cols, d_y.data, d_y.cols, d_y.rows, d_y.cols);
}

Tensor *slice_columns_at(Place place, Tensor *x, int first, int count)
{
    check_at(place, first >= 0 && count >= 0 && first <= x->value.cols - count,
             "the block must lie inside the tensor", "slice_columns: %d columns from %d of a (%d × %d)",
             count, first, x->value.rows, x->value.cols);
    Tensor *y =
        tensor_node(place, "slice_columns", x->value.rows, count, slice_columns_step, sizeof first, 1, x);
    memcpy(y->context, &first, sizeof first);
    copy_columns(y->value, 0, x->value, first, count);
    return y;
}

static void slice_rows_step(Tensor *self)
{
    // y = rows first … of x
    Matrix d_x = tensor_gradient(self->inputs[0]), d_y = self->gradient;
    if (d_x.data)
        add_block(matrix_row(d_x, *(const int *)self->context), d_x.cols, d_y.data, d_y.cols, d_y.rows,
                  d_y.cols);
}

Tensor *slice_rows_at(Place place, Tensor *x, int first, int count)
{
    Tensor *y = tensor_view(place, "slice_rows", matrix_rows_at(place, x->value, first, count),
                            slice_rows_step, sizeof first, x);
    memcpy(y->context, &first, sizeof first);
    return y;
}

static void tensor_reshape_step(Tensor *self)
{
    // y = x in another shape
    tensor_pass_gradient(self->inputs[0], self);
}

Tensor *tensor_reshape_at(Place place, Tensor *x, int rows, int cols)
{
    return tensor_view(place, "tensor_reshape", matrix_reshape_at(place, x->value, rows, cols),
                       tensor_reshape_step, 0, x);
}

// ---- Reductions -------------------------------------------------------------------------------------------

// d_x += s everywhere
static void give_everywhere(Tensor *x, float s)
{
    Matrix d_x = tensor_gradient(x);
    if (d_x.data) add_scalar(d_x, s);
}

static void sum_all_step(Tensor *self)
{
    // y = Σ x_ij
    give_everywhere(self->inputs[0], self->gradient.data[0]);
}

Tensor *sum_all_at(Place place, Tensor *x)
{
    Tensor *y = tensor_node(place, "sum_all", 1, 1, sum_all_step, 0, 1, x);
    y->value.data[0] = (float)sum(x->value);
    return y;
}

static void mean_all_step(Tensor *self)
{
    // y = 1/n Σ x_ij
    give_everywhere(self->inputs[0], self->gradient.data[0] / (float)matrix_size(self->inputs[0]->value));
}

Tensor *mean_all_at(Place place, Tensor *x)
{
    check_at(place, matrix_size(x->value) > 0, "a mean needs at least one element", "mean_all: (%d × %d)",
             x->value.rows, x->value.cols);
    Tensor *y = tensor_node(place, "mean_all", 1, 1, mean_all_step, 0, 1, x);
    y->value.data[0] = (float)mean(x->value);
    return y;
}

static void tensor_row_means_step(Tensor *self)
{
    // y_i = 1/C Σ_j x_ij
    Matrix d_x = tensor_gradient(self->inputs[0]), d_y = self->gradient;
    for (int i = 0; i < d_x.rows; i++)
        for (int j = 0; j < d_x.cols; j++) AT(d_x, i, j) += d_y.data[i] / (float)d_x.cols;
}

Tensor *tensor_row_means_at(Place place, Tensor *x)
{
    check_at(place, x->value.cols > 0, "a mean needs at least one column", "tensor_row_means: (%d × %d)",
             x->value.rows, x->value.cols);
    Tensor *y = tensor_node(place, "tensor_row_means", x->value.rows, 1, tensor_row_means_step, 0, 1, x);
    row_sums(y->value, x->value);
    for (int i = 0; i < y->value.rows; i++) {
        float *of_row = &y->value.data[i]; // where the sum is no float, the mean may be one
        *of_row = isinf(*of_row) ? (float)mean(matrix_rows(x->value, i, 1)) : *of_row / (float)x->value.cols;
    }
    return y;
}

static void tensor_column_means_step(Tensor *self)
{
    // y_j = 1/N Σ_i x_ij
    Matrix d_x = tensor_gradient(self->inputs[0]), d_y = self->gradient;
    for (int i = 0; i < d_x.rows; i++)
        for (int j = 0; j < d_x.cols; j++) AT(d_x, i, j) += d_y.data[j] / (float)d_x.rows;
}

Tensor *tensor_column_means_at(Place place, Tensor *x)
{
    check_at(place, x->value.rows > 0, "a mean needs at least one row", "tensor_column_means: (%d × %d)",
             x->value.rows, x->value.cols);
    Tensor *y =
        tensor_node(place, "tensor_column_means", 1, x->value.cols, tensor_column_means_step, 0, 1, x);
    column_means(y->value, x->value);
    return y;
}

// ---- Dropout ----------------------------------------------------------------------------------------------

// 32 bits that look unrelated for neighbouring x: the finaliser "lowbias32" of Chris Wellons
// (hash-prospector, 2018).
static inline uint32_t mix_bits(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

void dropout_mask(Matrix mask, float probability, const Rng *rng)
{
    // Element j of a row is a mixed counter, not the next draw: no element waits for another, so this is
    // vector code.
    check(probability >= 0.0f && probability < 1.0f, "0.1 to 0.5 is usual",
          "dropout_mask: a probability of %g", (double)probability);
    const float kept = 1.0f / (1.0f - probability);
    const uint32_t limit = (uint32_t)((double)probability * 4294967296.0);
    PARALLEL_FOR(parallel_worth(matrix_size(mask)), i, mask.rows, {
        Rng row = rng_stream(rng, (uint64_t)i);
        const uint32_t first = rng_next(&row), second = rng_next(&row);
        float *out = matrix_row(mask, i);
        for (int j = 0; j < mask.cols; j++)
            out[j] = mix_bits(mix_bits(first + (uint32_t)j) ^ second) < limit ? 0.0f : kept;
    });
}

static void dropout_step(Tensor *self)
{
    // y = x ⊙ mask
    multiply_backward(tensor_gradient(self->inputs[0]), self->gradient, *(const Matrix *)self->context);
}

Tensor *dropout_at(Place place, Tensor *x, float probability, Rng *rng, bool training)
{
    check_at(place, probability >= 0.0f && probability < 1.0f, "0.1 to 0.5 is usual",
             "dropout: a probability of %g", (double)probability);
    if (!training || probability == 0.0f) return x;
    Matrix mask;
    Tensor *y = tensor_node(place, "dropout", x->value.rows, x->value.cols, dropout_step, sizeof mask, 1, x);
    mask = matrix_uninitialised_at(place, tape_arena(y->tape), x->value.rows, x->value.cols);
    memcpy(y->context, &mask, sizeof mask);
    dropout_mask(mask, probability, rng);
    rng_next(rng);
    multiply(y->value, x->value, mask);
    return y;
}
