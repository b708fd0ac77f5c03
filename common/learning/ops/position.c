// position.c: what tells attention where a position is. See position.h.
#include "learning/ops/position.h"
#include "base/mathf.h"
#include "base/parallel.h"

#include <string.h>

// ---- Angles --------------------------------------------------------------------------------------------

// base^(−1/count) in double precision: Newton's method for the root of r^count = 1/base, from a first guess good to six
// digits.
static double geometric_ratio(double base, int count)
{
    double r = (double)exp32(-log32((float)base) / (float)count);
    for (int step = 0; step < 3; step++) {
        double power = 1.0;
        for (int i = 0; i < count; i++) power *= r;
        r += r * (1.0 / (base * power) - 1.0) / count;
    }
    return r;
}

enum { PAIRS = 64 }; // this many sines and cosines are at hand at a time

// The frequency, in radians for each position, of a pair whose frequency was `plain` in training.
static double scaled(double plain, const RotaryScaling *s)
{
    if (s->kind == ROTARY_PLAIN) return plain;
    const double divided = plain / (double)s->factor;
    if (s->kind == ROTARY_LINEAR) return divided;
    const double turns = s->trained * plain / 6.283185307179586; // within a text of training
    const double kept = (turns - (double)s->low) / ((double)s->high - (double)s->low);
    if (kept >= 1.0) return plain;
    return kept <= 0.0 ? divided : (1.0 - kept) * divided + kept * plain;
}

// sines and cosines of t · frequency, t · frequency · ratio, …
static void angles(float *sines, float *cosines, int t, double frequency, double ratio, int count,
                   const RotaryScaling *scaling)
{
    float angle[PAIRS];
    for (int j = 0; j < count; j++, frequency *= ratio) angle[j] = (float)(t * scaled(frequency, scaling));
    for (int j = 0; j < count; j++) sines[j] = sin32(angle[j]);
    for (int j = 0; j < count; j++) cosines[j] = cos32(angle[j]);
}

// The pairs first … first + count − 1 of every head of the rows with position t: y = x rotated; or, backwards, added.
static void rotate_position(Matrix y, Matrix x, const RotaryShape *s, int t, int first, int count,
                            double frequency, double ratio, bool backwards)
{
    const int half = s->width / 2;
    float sines[PAIRS], cosines[PAIRS];
    angles(sines, cosines, s->first + t, frequency, ratio, count, &s->scaling);
    for (int row = t; row < x.rows; row += s->time) {
        for (int h = 0; h < s->heads; h++) {
            const float *a = &AT(x, row, h * s->width + first), *b = a + half;
            float *out_a = &AT(y, row, h * s->width + first), *out_b = out_a + half;
            for (int j = 0; j < count; j++) {
                const float c = cosines[j], sine = backwards ? -sines[j] : sines[j], left = a[j],
                            right = b[j];
                const float new_left = __builtin_fmaf(left, c, -(right * sine));
                const float new_right = __builtin_fmaf(left, sine, right * c);
                out_a[j] = backwards ? out_a[j] + new_left : new_left;
                out_b[j] = backwards ? out_b[j] + new_right : new_right;
            }
        }
    }
}

// The columns behind the heads: y = x; or added.
static void pass_on(Matrix y, Matrix x, const RotaryShape *s, int t, bool backwards)
{
    for (int row = t; row < x.rows; row += s->time) {
        const float *in = matrix_row(x, row);
        float *out = matrix_row(y, row);
        for (int j = s->heads * s->width; j < x.cols; j++) out[j] = backwards ? out[j] + in[j] : in[j];
    }
}

static void rotate_all(Matrix y, Matrix x, RotaryShape s, bool backwards)
{
    if (!s.width) s.width = x.cols / s.heads;
    if (s.firsts) {
        const int *firsts = s.firsts;
        s.firsts = NULL;
        for (int b = 0; b < x.rows / s.time; b++) {
            s.first = firsts[b];
            rotate_all(matrix_rows(y, b * s.time, s.time), matrix_rows(x, b * s.time, s.time), s, backwards);
        }
        return;
    }
    const int half = s.width / 2;
    const double ratio = half ? geometric_ratio(s.base != 0.0f ? (double)s.base : 10000.0, half) : 1.0;
    PARALLEL_FOR(parallel_worth(matrix_size(x) * 2), t, s.time, {
        double frequency = 1.0;
        for (int j = 0; j < half; j += PAIRS) {
            rotate_position(y, x, &s, t, j, int_min(PAIRS, half - j), frequency, ratio, backwards);
            for (int i = 0; i < PAIRS; i++) frequency *= ratio;
        }
        pass_on(y, x, &s, t, backwards);
    });
}

void rotary_check_scaling(Place place, const char *name, RotaryScaling s)
{
    check_at(place, s.kind == ROTARY_PLAIN || s.factor >= 1.0f, "longer texts have smaller angles",
             "%s: angles divided by %g", name, (double)s.factor);
    check_at(place, s.kind != ROTARY_BY_WAVELENGTH || (s.low < s.high && s.trained > 0),
             "name low, high and trained, as the model's configuration does",
             "%s: scaled by wavelength from %g to %g, trained on %d positions", name, (double)s.low,
             (double)s.high, s.trained);
}

void rotary_forward(Matrix y, Matrix x, RotaryShape shape) { rotate_all(y, x, shape, false); }

void rotary_backward(Matrix d_x, Matrix d_y, RotaryShape shape)
{
    // (y_j, y_j+D/2) is (x_j, x_j+D/2) rotated: the gradient rotates back
    if (d_x.data) rotate_all(d_x, d_y, shape, true);
}

void sinusoidal_positions(Matrix table)
{
    const int pairs = (table.cols + 1) / 2;
    // frequencies 10000^(−2j/C)
    const double ratio = table.cols ? geometric_ratio(10000.0, table.cols) : 1.0;
    for (int t = 0; t < table.rows; t++) {
        double frequency = 1.0;
        for (int first = 0; first < pairs; first += PAIRS) {
            const int count = int_min(PAIRS, pairs - first);
            float sines[PAIRS], cosines[PAIRS];
            angles(sines, cosines, t, frequency, ratio * ratio, count, &(RotaryScaling){0});
            for (int j = 0; j < count; j++) {
                const int column = 2 * (first + j);
                AT(table, t, column) = sines[j];
                if (column + 1 < table.cols) AT(table, t, column + 1) = cosines[j];
                frequency *= ratio * ratio;
            }
        }
    }
}

// ---- Taped -------------------------------------------------------------------------------------

static void rotary_step(Tensor *self)
{
    rotary_backward(tensor_gradient(self->inputs[0]), self->gradient, *(const RotaryShape *)self->context);
}

Tensor *rotary_at(Place place, Tensor *x, RotaryShape shape)
{
    check_at(place, shape.time > 0 && x->value.rows % shape.time == 0,
             "row b · T + t is position t of sequence b", "rotary: x (%d × %d) in sequences of %d positions",
             x->value.rows, x->value.cols, shape.time);
    const int width = shape.width ? shape.width : x->value.cols / int_max(1, shape.heads);
    const long long columns = (long long)shape.heads * width;
    check_at(place,
             shape.heads > 0 && width >= 0 && width % 2 == 0 &&
                 (shape.width ? columns <= x->value.cols : columns == x->value.cols),
             "a head is rotated in pairs: its width is even", "rotary: x (%d × %d) with %d heads",
             x->value.rows, x->value.cols, shape.heads);
    rotary_check_scaling(place, "rotary", shape.scaling);
    Tensor *y = tensor_node(place, "rotary", x->value.rows, x->value.cols, rotary_step, sizeof shape, 1, x);
    if (shape.firsts) {
        const size_t sequences = (size_t)(x->value.rows / shape.time);
        int *held = arena_alloc_at(place, tape_arena(y->tape), sequences, sizeof *held);
        memcpy(held, shape.firsts, sequences * sizeof *held);
        shape.firsts = held;
    }
    memcpy(y->context, &shape, sizeof shape);
    rotary_forward(y->value, x->value, shape);
    return y;
}

static void add_positions_step(Tensor *self)
{
    // y_(b·T + t) = x_(b·T + t) + table_t
    const int time = *(const int *)self->context;
    const Matrix d_y = self->gradient, d_table = tensor_gradient(self->inputs[1]);
    if (d_table.data)
        PARALLEL_FOR(parallel_worth(matrix_size(d_y)), t, time, {
            float *out = matrix_row(d_table, t);
            for (int row = t; row < d_y.rows; row += time) {
                const float *in = matrix_row(d_y, row);
                for (int j = 0; j < d_y.cols; j++) out[j] += in[j];
            }
        });
    tensor_pass_gradient(self->inputs[0], self);
}

Tensor *add_positions_at(Place place, Tensor *x, Tensor *table, int time)
{
    check_at(place, time > 0 && x->value.rows % time == 0, "row b · T + t is position t of sequence b",
             "add_positions: x (%d × %d) in sequences of %d positions", x->value.rows, x->value.cols, time);
    check_at(place, table->value.cols == x->value.cols && table->value.rows >= time,
             "the table has a row for each position, as wide as x",
             "add_positions: %d positions of x (%d × %d), a table (%d × %d)", time, x->value.rows,
             x->value.cols, table->value.rows, table->value.cols);
    Tensor *y = tensor_node(place, "add_positions", x->value.rows, x->value.cols, add_positions_step,
                            sizeof time, 2, x, table);
    memcpy(y->context, &time, sizeof time);
    PARALLEL_FOR(parallel_worth(matrix_size(x->value)), i, x->value.rows, {
        const float *in = matrix_row(x->value, i), *position = matrix_row(table->value, i % time);
        float *out = matrix_row(y->value, i);
        for (int j = 0; j < x->value.cols; j++) out[j] = in[j] + position[j];
    });
    return y;
}
