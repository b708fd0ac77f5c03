// norm.c: normalisations. See norm.h.
#include "learning/ops/norm.h"
#include "base/parallel.h"
#include "matrix/columns.h"
#include "matrix/lanes.h"
#include "matrix/vectors.h"

#include <math.h>
#include <string.h>

// ---- Along rows -------------------------------------------------------------------------------------------

// A mean is mean + rest: rest is what rounding to a float leaves, half a unit in the last place of the mean at most. Of
// numbers that lie close together far from 0 it may be as large as their distances. r = 1 / √(variance + small).
typedef struct {
    float mean, rest, r;
} SplitMoments;

// Of count numbers that are stride apart, in double precision: for numbers whose squares, or whose distances, are no
// floats. *variance receives theirs, ∞ where it is no float.
static SplitMoments wide_moments(const float *x, size_t stride, int count, float small, float *variance)
{
    double total = 0.0, squares = 0.0;
    for (int i = 0; i < count; i++) total += (double)x[(size_t)i * stride];
    const double mean = total / count;
    for (int i = 0; i < count; i++) {
        const double distance = (double)x[(size_t)i * stride] - mean;
        squares += distance * distance;
    }
    *variance = (float)(squares / count);
    return (SplitMoments){(float)mean, (float)(mean - (double)(float)mean),
                          (float)(1.0 / sqrt(squares / count + (double)small))};
}

// A float sum of 768 numbers near 10000 misses by more than the mean of the squares may have. So the sum is taken of
// their distances from the first of them, which are exact where the numbers lie close together; equal numbers have
// distances of 0, and their mean is what they are.
static SplitMoments row_moments(const float *x, int cols, float epsilon)
{
    const float share = 1.0f / (float)cols;
    float squares;
    const float mean = x[0] + lanes_offsets(x, x[0], cols, &squares) * share;
    const float rest = lanes_offsets(x, mean, cols, &squares) * share;
    if (!(squares < INFINITY)) return wide_moments(x, 1, cols, epsilon, &squares);
    return (SplitMoments){mean, rest, 1.0f / sqrtf(fmaxf(0.0f, squares * share - rest * rest) + epsilon)};
}

void layer_norm_forward(Matrix y, Matrix mean, Matrix r, Matrix x, Matrix gain, Matrix bias, float epsilon)
{
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 4), i, x.rows, {
        const float *in = matrix_row(x, i);
        float *out = matrix_row(y, i);
        const SplitMoments m = row_moments(in, x.cols, epsilon);
        const float shift = -m.rest * m.r;
        for (int j = 0; j < x.cols; j++)
            out[j] = __builtin_fmaf(__builtin_fmaf(in[j] - m.mean, m.r, shift), gain.data[j], bias.data[j]);
        mean.data[i] = m.mean;
        r.data[i] = m.r;
    });
}

// With n_j = (x_j − mean) r and g_j = d_y_j gain_j, moving x moves the mean and r as well:
// d_x = r (g − mean of g − n · mean of (g ⊙ n)). One row; normal receives n. The mean given has been rounded to a float:
// n has a mean of its own, which is taken off.
static void row_backward(float *restrict d_x, float *restrict normal, const float *d_y, const float *x,
                         float mean, float r, const float *gain, int cols, bool centred)
{
    const float share = 1.0f / (float)cols;
    Lanes sum_g = {0}, sum_n = {0}, sum_gn = {0}, d, w, n;
    int j = 0;
    for (; j + LANES <= cols; j += LANES) {
        lanes_load(&n, x + j);
        lanes_load(&d, d_y + j);
        lanes_load(&w, gain + j);
        n = (n - mean) * r;
        d *= w;
        memcpy(normal + j, &n, sizeof n);
        sum_g += d;
        sum_n += n;
        sum_gn += d * n;
    }
    if (j < cols) {
        lanes_load_some(&n, x + j, cols - j, mean);
        lanes_load_some(&d, d_y + j, cols - j, 0.0f);
        lanes_load_some(&w, gain + j, cols - j, 0.0f);
        n = (n - mean) * r;
        d *= w;
        for (int l = 0; l < cols - j; l++) normal[j + l] = n[l];
        sum_g += d;
        sum_n += n;
        sum_gn += d * n;
    }
    const float mean_g = centred ? lanes_join(&sum_g) * share : 0.0f;
    const float mean_n = centred ? lanes_join(&sum_n) * share : 0.0f;
    const float mean_gn = lanes_join(&sum_gn) * share - mean_g * mean_n;
    for (int i = 0; i < cols && centred; i++) normal[i] -= mean_n;
    for (int i = 0; i < cols && d_x; i++) {
        float g = d_y[i] * gain[i];
        d_x[i] = __builtin_fmaf(r, __builtin_fmaf(-normal[i], mean_gn, g - mean_g), d_x[i]);
    }
}

void layer_norm_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix normal, Matrix d_y, Matrix x,
                         Matrix mean, Matrix r, Matrix gain)
{
    // y_i = (x_i − mean_i) · r_i ⊙ gain + bias
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 4), i, x.rows,
                 row_backward(d_x.data ? matrix_row(d_x, i) : NULL, matrix_row(normal, i), matrix_row(d_y, i),
                              matrix_row(x, i), mean.data[i], r.data[i], gain.data, x.cols, true));
    if (d_gain.data) add_column_dots(d_gain, d_y, normal);
    if (d_bias.data) add_column_sums(d_bias, d_y);
}

// 1 / √(mean of squares + epsilon) of a row whose squares are no floats
static float wide_r(const float *x, int cols, float epsilon)
{
    double squares = 0.0;
    for (int j = 0; j < cols; j++) squares += (double)x[j] * (double)x[j];
    return (float)(1.0 / sqrt(squares / cols + (double)epsilon));
}

void rms_norm_forward(Matrix y, Matrix r, Matrix x, Matrix gain, float epsilon)
{
    const float share = 1.0f / (float)x.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 4), i, x.rows, {
        const float *in = matrix_row(x, i);
        float *out = matrix_row(y, i);
        const float squares = lanes_dot(in, in, x.cols);
        const float size =
            squares < INFINITY ? 1.0f / sqrtf(squares * share + epsilon) : wide_r(in, x.cols, epsilon);
        for (int j = 0; j < x.cols; j++) out[j] = in[j] * size * gain.data[j];
        r.data[i] = size;
    });
}

void rms_norm_backward(Matrix d_x, Matrix d_gain, Matrix normal, Matrix d_y, Matrix x, Matrix r, Matrix gain)
{
    // y_i = x_i · r_i ⊙ gain: as above without a mean
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 4), i, x.rows,
                 row_backward(d_x.data ? matrix_row(d_x, i) : NULL, matrix_row(normal, i), matrix_row(d_y, i),
                              matrix_row(x, i), 0.0f, r.data[i], gain.data, x.cols, false));
    if (d_gain.data) add_column_dots(d_gain, d_y, normal);
}

// ---- Down columns -----------------------------------------------------------------------------------------

BatchNormState batch_norm_state_new(Arena *arena, int features)
{
    BatchNormState state = {matrix_new(arena, 1, features), matrix_new(arena, 1, features), 0.1f, 1e-5f};
    fill(state.variance, 1.0f);
    return state;
}

// Everything that the passes over the rows read and write. What is not there is NULL; the vectors are (C).
typedef struct {
    float *y, *d_x, *d_shortcut;
    const float *x, *shortcut, *d_y;
    const float *mean, *shift, *r, *gain, *bias, *sum_d, *sum_dn;
    float share;                          // 1 / N, or 0 when the statistics do not depend on x
    bool relu, onto_d_x, onto_d_shortcut; // add to these gradients rather than overwrite them
} NormPass;

// The vectors of some columns, count of them, which are the same in each row
typedef struct {
    int count;
    Mask mask;
    Vector mean, shift, r, gain, bias, sum_d, sum_dn;
} NormColumns;

INLINE Vector columns_of(const float *row, int column, Mask mask)
{
    return row ? load_first(mask, row + column) : broadcast(0.0f);
}

INLINE NormColumns norm_columns(const NormPass *p, int column, int count)
{
    const Mask mask = first(count);
    return (NormColumns){
        .count = count,
        .mask = mask,
        .mean = columns_of(p->mean, column, mask),
        .shift = columns_of(p->shift, column, mask),
        .r = columns_of(p->r, column, mask),
        .gain = columns_of(p->gain, column, mask),
        .bias = columns_of(p->bias, column, mask),
        .sum_d = columns_of(p->sum_d, column, mask),
        .sum_dn = columns_of(p->sum_dn, column, mask),
    };
}

// n = (x − mean − rest) r of one row, where shift = −rest · r
INLINE Vector normal_row(const NormPass *p, const NormColumns *c, size_t place)
{
    const Vector distance = load_first(c->mask, p->x + place) - c->mean;
    if (p->shift) return fused(distance, c->r, c->shift);
    return distance * c->r;
}

// These columns of one row, from this place on. What will be wanted a page later is asked for.
INLINE void forward_row(const NormPass *p, const NormColumns *c, size_t place)
{
    ask_for(p->x, place + PAGE);
    ask_to_write(p->y, place + PAGE);
    if (p->shortcut) ask_for(p->shortcut, place + PAGE);
    Vector z = fused(normal_row(p, c, place), c->gain, c->bias);
    if (p->shortcut) z = z + load_first(c->mask, p->shortcut + place);
    store_some(c->count, c->mask, p->y + place, p->relu ? above_zero(z) : z);
}

INLINE void backward_row(const NormPass *p, const NormColumns *c, size_t place)
{
    ask_for(p->x, place + PAGE);
    ask_for(p->d_y, place + PAGE);
    if (p->relu) ask_for(p->y, place + PAGE);
    if (p->d_shortcut) ask_to_write(p->d_shortcut, place + PAGE);
    Vector d = load_first(c->mask, p->d_y + place);
    if (p->relu) d = where_positive(load_first(c->mask, p->y + place), d);
    if (p->d_x) {
        const Vector mean = fused(normal_row(p, c, place), c->sum_dn, c->sum_d);
        const Vector before = p->onto_d_x ? load_first(c->mask, p->d_x + place) : broadcast(0.0f);
        store_some(c->count, c->mask, p->d_x + place,
                   fused(c->gain * c->r, d - broadcast(p->share) * mean, before));
    }
    if (p->d_shortcut) {
        if (p->onto_d_shortcut) d = d + load_first(c->mask, p->d_shortcut + place);
        store_some(c->count, c->mask, p->d_shortcut + place, d);
    }
}

// Rows first_row … last − 1. backwards is known where this is inlined.
INLINE void pass_rows(NormPass p, const bool backwards, int cols, int first_row, int last)
{
    for (int j = 0; j < cols; j += VECTOR_LANES) {
        const NormColumns c = norm_columns(&p, j, int_min(VECTOR_LANES, cols - j));
        for (int i = first_row; i < last; i++) {
            const size_t place = (size_t)i * (size_t)cols + (size_t)j;
            if (backwards) {
                backward_row(&p, &c, place);
            } else {
                forward_row(&p, &c, place);
            }
        }
    }
}

static void norm_pass(const NormPass *pass, bool backwards, int rows, int cols)
{
    enum { BLOCK = 16 }; // rows whose columns are taken one vector after the other: they stay in the cache
    PARALLEL_FOR(parallel_worth((size_t)rows * (size_t)cols), block, (rows + BLOCK - 1) / BLOCK, {
        const int first_row = block * BLOCK, last = int_min(rows, first_row + BLOCK);
        if (backwards) {
            pass_rows(*pass, true, cols, first_row, last);
        } else {
            pass_rows(*pass, false, cols, first_row, last);
        }
    });
}

static NormPass norm_pass_of(Matrix x, Matrix mean, Matrix r, Matrix gain)
{
    return (NormPass){.x = x.data, .mean = mean.data, .r = r.data, .gain = gain.data};
}

void batch_norm_forward(Matrix y, Matrix x, Matrix mean, Matrix r, Matrix gain, Matrix bias)
{
    NormPass p = norm_pass_of(x, mean, r, gain);
    p.y = y.data, p.bias = bias.data;
    norm_pass(&p, false, x.rows, x.cols);
}

void batch_norm_relu_forward(Matrix y, Matrix x, Matrix shortcut, Matrix mean, Matrix r, Matrix gain,
                             Matrix bias)
{
    NormPass p = norm_pass_of(x, mean, r, gain);
    p.y = y.data, p.bias = bias.data, p.shortcut = shortcut.data, p.relu = true;
    norm_pass(&p, false, x.rows, x.cols);
}

// p lacks the sums. y.data NULL: there was no relu.
static void norm_backward(NormPass p, Matrix d_gain, Matrix d_bias, Matrix sums, Matrix d_y, Matrix y,
                          Matrix x, Matrix mean, Matrix r, bool from_batch)
{
    // z = n ⊙ gain + bias + shortcut, n = (x − mean) ⊙ r + shift, y = z or max(0, z): with d the gradient of z, the sums
    // Σ d and Σ d ⊙ n = r ⊙ (Σ d ⊙ (x − mean)) + shift ⊙ Σ d …
    Matrix sum_d = matrix_rows(sums, 0, 1), sum_dn = matrix_rows(sums, 1, 1);
    fill(sums, 0.0f);
    add_active_sums(sum_d, sum_dn, d_y, y, x, mean);
    multiply(sum_dn, sum_dn, r);
    for (int j = 0; p.shift && j < x.cols; j++)
        sum_dn.data[j] = __builtin_fmaf(p.shift[j], sum_d.data[j], sum_dn.data[j]);
    if (d_bias.data) add(d_bias, d_bias, sum_d);
    if (d_gain.data) add(d_gain, d_gain, sum_dn);
    if (!p.d_x && !p.d_shortcut) return;
    // … give d_x = gain r (d − mean of d − n · mean of (d ⊙ n)), as for a row above.
    p.d_y = d_y.data, p.y = y.data, p.relu = y.data != NULL;
    p.sum_d = sum_d.data, p.sum_dn = sum_dn.data, p.share = from_batch ? 1.0f / (float)x.rows : 0.0f;
    norm_pass(&p, true, x.rows, x.cols);
}

void batch_norm_backward(Matrix d_x, Matrix d_gain, Matrix d_bias, Matrix sums, Matrix d_y, Matrix x,
                         Matrix mean, Matrix r, Matrix gain, bool from_batch)
{
    NormPass p = norm_pass_of(x, mean, r, gain);
    p.d_x = d_x.data, p.onto_d_x = true;
    norm_backward(p, d_gain, d_bias, sums, d_y, (Matrix){0, 0, NULL}, x, mean, r, from_batch);
}

void batch_norm_relu_backward(Matrix d_x, Matrix d_shortcut, Matrix d_gain, Matrix d_bias, Matrix sums,
                              Matrix d_y, Matrix y, Matrix x, Matrix mean, Matrix r, Matrix gain,
                              bool from_batch)
{
    NormPass p = norm_pass_of(x, mean, r, gain);
    p.d_x = d_x.data, p.d_shortcut = d_shortcut.data, p.onto_d_x = p.onto_d_shortcut = true;
    norm_backward(p, d_gain, d_bias, sums, d_y, y, x, mean, r, from_batch);
}

// ---- Taped ------------------------------------------------------------------------------------------------

static void need_row(Place place, const char *name, const char *what, const Tensor *x, const Tensor *row)
{
    check_at(place, row->value.rows == 1 && row->value.cols == x->value.cols, "one number for each column",
             "%s: x (%d × %d) with a %s (%d × %d)", name, x->value.rows, x->value.cols, what, row->value.rows,
             row->value.cols);
    check_at(place, x->value.cols > 0, "there is nothing to normalise", "%s: no columns", name);
}

typedef struct {
    Matrix mean, r;
    Matrix shift;          // for batch_norm: −rest ⊙ r, where the mean of the batch is mean + rest
    bool from_batch, relu; // for batch_norm
} NormContext;

static void layer_norm_step(Tensor *self)
{
    const NormContext *context = self->context;
    Tensor *x = self->inputs[0], *gain = self->inputs[1], *bias = self->inputs[2];
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix normal = matrix_uninitialised(scratch, x->value.rows, x->value.cols);
    layer_norm_backward(tensor_gradient(x), tensor_gradient(gain), tensor_gradient(bias), normal,
                        self->gradient, x->value, context->mean, context->r, gain->value);
    arena_rewind(scratch, mark);
}

Tensor *layer_norm_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, float epsilon)
{
    need_row(place, "layer_norm", "gain", x, gain);
    need_row(place, "layer_norm", "bias", x, bias);
    Tensor *y = tensor_node(place, "layer_norm", x->value.rows, x->value.cols, layer_norm_step,
                            sizeof(NormContext), 3, x, gain, bias);
    NormContext *context = y->context;
    context->mean = matrix_uninitialised_at(place, tape_arena(y->tape), x->value.rows, 1);
    context->r = matrix_uninitialised_at(place, tape_arena(y->tape), x->value.rows, 1);
    layer_norm_forward(y->value, context->mean, context->r, x->value, gain->value, bias->value, epsilon);
    return y;
}

static void rms_norm_step(Tensor *self)
{
    const NormContext *context = self->context;
    Tensor *x = self->inputs[0], *gain = self->inputs[1];
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix normal = matrix_uninitialised(scratch, x->value.rows, x->value.cols);
    rms_norm_backward(tensor_gradient(x), tensor_gradient(gain), normal, self->gradient, x->value, context->r,
                      gain->value);
    arena_rewind(scratch, mark);
}

Tensor *rms_norm_at(Place place, Tensor *x, Tensor *gain, float epsilon)
{
    need_row(place, "rms_norm", "gain", x, gain);
    Tensor *y = tensor_node(place, "rms_norm", x->value.rows, x->value.cols, rms_norm_step,
                            sizeof(NormContext), 2, x, gain);
    NormContext *context = y->context;
    context->r = matrix_uninitialised_at(place, tape_arena(y->tape), x->value.rows, 1);
    rms_norm_forward(y->value, context->r, x->value, gain->value, epsilon);
    return y;
}

static void batch_norm_step(Tensor *self)
{
    const NormContext *context = self->context;
    Tensor *x = self->inputs[0], *gain = self->inputs[1], *bias = self->inputs[2],
           *shortcut = self->inputs[3];
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    const Matrix d_y = self->gradient;
    Matrix sums = matrix_uninitialised(scratch, 2, x->value.cols), y = {0, 0, NULL};
    if (context->relu) y = self->value;
    NormPass p = norm_pass_of(x->value, context->mean, context->r, gain->value);
    p.shift = context->shift.data;
    // d_x may stand where d_y stood. The input of the short cut may be x itself: whichever comes second adds.
    p.d_x = tensor_gradient_in_place(x, self, &p.onto_d_x).data;
    p.d_shortcut = tensor_gradient_raw(shortcut, &p.onto_d_shortcut).data;
    norm_backward(p, tensor_gradient(gain), tensor_gradient(bias), sums, d_y, y, x->value, context->mean,
                  context->r, context->from_batch);
    arena_rewind(scratch, mark);
}

// running ← (1 − momentum) running + momentum · goal. A step too small for a float would leave it a few units in the last
// place beside a batch that never changes: then it moves by one of them.
static void follow(float *running, double goal, float momentum)
{
    const double keep = 1.0 - (double)momentum;
    const float before = *running;
    float after = (float)(keep * (double)before + (double)momentum * goal);
    if (after == before && momentum > 0.0f && after != (float)goal) after = nextafterf(before, (float)goal);
    *running = after;
}

// mean, r and shift (1 × C) of a batch; the running statistics follow it.
static void batch_moments(Matrix mean, Matrix r, Matrix shift, Matrix x, BatchNormState *state)
{
    Matrix rest = shift, variance = r; // until their places are needed
    column_moments_in_two(mean, rest, variance, x);
    for (int j = 0; j < x.cols; j++) {
        SplitMoments m = {mean.data[j], rest.data[j], 1.0f / sqrtf(variance.data[j] + state->small)};
        if (!(variance.data[j] < INFINITY))
            m = wide_moments(x.data + j, (size_t)x.cols, x.rows, state->small, &variance.data[j]);
        follow(&state->mean.data[j], (double)m.mean, state->momentum);
        follow(&state->variance.data[j], (double)x.rows / (double)(x.rows - 1) * (double)variance.data[j],
               state->momentum);
        mean.data[j] = m.mean;
        shift.data[j] = -m.rest * m.r;
        r.data[j] = m.r;
    }
}

static Tensor *batch_norm_node(Place place, const char *name, Tensor *x, Tensor *shortcut, Tensor *gain,
                               Tensor *bias, BatchNormState *state, bool training, bool relu)
{
    int rows = x->value.rows, cols = x->value.cols;
    need_row(place, name, "gain", x, gain);
    need_row(place, name, "bias", x, bias);
    check_at(place, state->mean.cols == cols && state->variance.cols == cols, "one state for each layer",
             "%s: x (%d × %d) with statistics of %d and %d columns", name, rows, cols, state->mean.cols,
             state->variance.cols);
    check_at(place, !training || rows > 1, "a batch of one has no deviation", "%s: training on %d row", name,
             rows);
    check_at(place, !shortcut || same_shape(x->value, shortcut->value), "what is added has the shape of x",
             "%s: x (%d × %d) with a short cut (%d × %d)", name, rows, cols,
             shortcut ? shortcut->value.rows : 0, shortcut ? shortcut->value.cols : 0);

    Tensor *y = tensor_node(place, name, rows, cols, batch_norm_step, sizeof(NormContext), 4, x, gain, bias,
                            shortcut);
    NormContext *context = y->context;
    context->from_batch = training;
    context->relu = relu;
    context->mean = matrix_uninitialised_at(place, tape_arena(y->tape), 1, cols);
    context->r = matrix_uninitialised_at(place, tape_arena(y->tape), 1, cols);
    if (training) {
        context->shift = matrix_uninitialised_at(place, tape_arena(y->tape), 1, cols);
        batch_moments(context->mean, context->r, context->shift, x->value, state);
    } else {
        copy(context->mean, state->mean);
        for (int j = 0; j < cols; j++)
            context->r.data[j] = 1.0f / sqrtf(state->variance.data[j] + state->small);
    }
    NormPass p = norm_pass_of(x->value, context->mean, context->r, gain->value);
    p.y = y->value.data, p.bias = bias->value.data, p.shift = context->shift.data, p.relu = relu;
    if (shortcut) p.shortcut = shortcut->value.data;
    norm_pass(&p, false, rows, cols);
    return y;
}

Tensor *batch_norm_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, BatchNormState *state,
                      bool training)
{
    return batch_norm_node(place, "batch_norm", x, NULL, gain, bias, state, training, false);
}

Tensor *batch_norm_relu_at(Place place, Tensor *x, Tensor *gain, Tensor *bias, BatchNormState *state,
                           bool training)
{
    return batch_norm_node(place, "batch_norm_relu", x, NULL, gain, bias, state, training, true);
}

Tensor *batch_norm_add_relu_at(Place place, Tensor *x, Tensor *shortcut, Tensor *gain, Tensor *bias,
                               BatchNormState *state, bool training)
{
    return batch_norm_node(place, "batch_norm_add_relu", x, shortcut, gain, bias, state, training, true);
}
