// recurrent.c: recurrent cells, their naive twins and their backwards. See recurrent.h.
//
// A step waits for the step before, but sequences do not wait for each other: each thread takes a share of the
// sequences and walks through all their steps alone. Step t of sequence b is row b · T + t, so the rows of one step
// are T rows apart: products are told so, and nothing is copied.
#include "learning/ops/recurrent.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/columns.h"
#include "matrix/gemm.h"

#include <string.h>

RecurrentState recurrent_state_new(Arena *arena, int batch, int hidden)
{
    return (RecurrentState){.hidden = matrix_new(arena, batch, hidden),
                            .cell = matrix_new(arena, batch, hidden)};
}

// ---- Steps and shares -------------------------------------------------------------------------------------

// A few columns of the rows that belong to one step of some sequences; data NULL stands for zeros.
typedef struct {
    float *data;
    int distance; // from the row of one sequence to that of the next
} StepRows;

static inline StepRows step_rows(Matrix m, Sequences s, int first, int t)
{
    return (StepRows){m.data + ((size_t)first * (size_t)s.time + (size_t)t) * (size_t)m.cols,
                      s.time * m.cols};
}

static inline StepRows from_column(StepRows rows, int column)
{
    return (StepRows){rows.data + column, rows.distance};
}

static inline float *row_of(StepRows rows, int i)
{
    return rows.data ? rows.data + (size_t)i * (size_t)rows.distance : NULL;
}

// What is not given is read as zeros: a loop that asks at each number whether there is one becomes a masked gather,
// which cost a quarter of an LSTM's forward pass.
static inline StepRows or_zeros(StepRows rows, Matrix zeros)
{
    return rows.data ? rows : (StepRows){zeros.data, 0};
}

static inline const float *bias_or_zeros(Matrix b, Matrix zeros) { return b.data ? b.data : zeros.data; }

// The states before step t: those of step t − 1, or what was there before the first.
static inline StepRows rows_before(Matrix states, Matrix before, Sequences s, int first, int t)
{
    if (t > 0) return step_rows(states, s, first, t - 1);
    return (StepRows){before.data ? before.data + (size_t)first * (size_t)states.cols : NULL, states.cols};
}

// Some columns of the recurrent weights as the second factor of a product, (H × width), or transposed, (width × H).
typedef struct {
    const float *data;
    int k, n, distance;
    bool transposed;
    GemmFactor packed; // strips NULL: there are too few steps for packing to pay
} Factor;

static Factor factor_of(Arena *scratch, Matrix u, int from, int width, bool transposed, Sequences s)
{
    enum { FEW_STEPS = 4 };
    Factor f = {
        u.data + from, transposed ? width : u.rows, transposed ? u.rows : width, u.cols, transposed, {0}};
    if (s.time >= FEW_STEPS) f.packed = gemm_pack(scratch, f.k, f.n, transposed, f.data, f.distance);
    return f;
}

// out (count × n) = in (count × k) · factor, or += when it accumulates
static void multiply_step(StepRows out, StepRows in, const Factor *factor, int count, bool accumulate)
{
    if (factor->packed.strips) {
        gemm_packed(count, accumulate, in.data, in.distance, &factor->packed, out.data, out.distance);
        return;
    }
    GemmShape shape = {.m = count,
                       .n = factor->n,
                       .k = factor->k,
                       .transpose_b = factor->transposed,
                       .accumulate = accumulate};
    gemm(shape, in.data, in.distance, factor->data, factor->distance, out.data, out.distance);
}

// In how many shares the sequences are dealt out. Below a few sequences each, a product has no rows to gain from.
static int shares_of(Sequences s, size_t step_operations)
{
    enum { FEWEST = 4 };
    if (!parallel_worth(step_operations * (size_t)sequences_rows(s))) return 1;
    return int_max(1, int_min(parallel_threads(), s.batch / FEWEST));
}

// x·w of a step, made just before the state's product goes on with the same sums: they are still in the cache. Where a
// step has few rows, all steps are multiplied at once.
static bool input_by_step(Sequences s, int shares)
{
    enum { FEW_ROWS = 12 };
    return s.time > 1 && s.batch / shares >= FEW_ROWS;
}

typedef struct {
    int first, count;
} Share;

static inline Share share_of(Sequences s, int shares, int index)
{
    int first = (int)((long)s.batch * index / shares);
    return (Share){first, (int)((long)s.batch * (index + 1) / shares) - first};
}

// shifted (B·T × H): beside each row the state that stood before it. Gradients of u are one product with it.
static Matrix states_before(Arena *scratch, Matrix h, Matrix before, Sequences s)
{
    Matrix shifted = matrix_uninitialised(scratch, h.rows, h.cols);
    size_t width = (size_t)h.cols * sizeof(float);
    PARALLEL_FOR(parallel_worth(matrix_size(h)), b, s.batch, {
        float *to = matrix_row(shifted, b * s.time);
        const float *from = row_of(rows_before(h, before, s, b, 0), 0);
        if (from) {
            memcpy(to, from, width);
        } else {
            memset(to, 0, width);
        }
        memcpy(to + h.cols, matrix_row(h, b * s.time), width * (size_t)(s.time - 1));
    });
    return shifted;
}

// ---- Elman's network --------------------------------------------------------------------------------------

// h = f(h + b), one row
static void rnn_row(float *h, const float *b, int hidden, RnnKind kind)
{
    if (kind == RNN_TANH) {
#pragma omp simd
        for (int j = 0; j < hidden; j++) h[j] = tanh32(h[j] + b[j]);
        return;
    }
    for (int j = 0; j < hidden; j++) {
        float z = h[j] + b[j];
        h[j] = kind == RNN_RELU && z < 0.0f ? 0.0f : z; // a NaN stays one
    }
}

void rnn_forward(Arena *scratch, Matrix h, Matrix x, Matrix w, Matrix u, Matrix b, Matrix before,
                 Sequences shape, RnnKind kind)
{
    ArenaMark mark = arena_mark(scratch);
    const Factor factor = factor_of(scratch, u, 0, u.cols, false, shape);
    const int shares = shares_of(shape, matrix_size(u));
    const float *bias = bias_or_zeros(b, matrix_new(scratch, 1, h.cols));
    matmul(h, x, w);
#pragma omp parallel for if (shares > 1)
    for (int share = 0; share < shares; share++) {
        const int first = share_of(shape, shares, share).first, count = share_of(shape, shares, share).count;
        for (int t = 0; t < shape.time; t++) {
            StepRows now = step_rows(h, shape, first, t), last = rows_before(h, before, shape, first, t);
            if (last.data) multiply_step(now, last, &factor, count, true);
            for (int i = 0; i < count; i++) rnn_row(row_of(now, i), bias, h.cols, kind);
        }
    }
    arena_rewind(scratch, mark);
}

// d_z = (d_z + d_h) f′, one row. d_z arrives with what the next step sends back; f′ is found from h = f(z).
static void rnn_row_backward(float *restrict d_z, const float *d_h, const float *h, int hidden, RnnKind kind)
{
#pragma omp simd
    for (int j = 0; j < hidden; j++) {
        float d = d_z[j] + d_h[j];
        float slope = kind == RNN_TANH ? 1.0f - h[j] * h[j] : kind == RNN_LINEAR || h[j] > 0.0f ? 1.0f : 0.0f;
        d_z[j] = d * slope;
    }
}

void rnn_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_u, Matrix d_b, Matrix d_z, Matrix d_h,
                  Matrix h, Matrix x, Matrix w, Matrix u, Matrix before, Sequences shape, RnnKind kind)
{
    const int hidden = h.cols, shares = shares_of(shape, matrix_size(u));
    ArenaMark mark = arena_mark(scratch);
    const Factor back = factor_of(scratch, u, 0, u.cols, true, shape);
#pragma omp parallel for if (shares > 1)
    for (int share = 0; share < shares; share++) {
        const int first = share_of(shape, shares, share).first, count = share_of(shape, shares, share).count;
        for (int t = shape.time - 1; t >= 0; t--) {
            StepRows now = step_rows(d_z, shape, first, t), d_out = step_rows(d_h, shape, first, t);
            StepRows out = step_rows(h, shape, first, t);
            // z_{t+1} = … + h_t·u
            if (t < shape.time - 1) {
                multiply_step(now, step_rows(d_z, shape, first, t + 1), &back, count, false);
            } else {
                for (int i = 0; i < count; i++) memset(row_of(now, i), 0, (size_t)hidden * sizeof(float));
            }
            // h_t = f(z_t)
            for (int i = 0; i < count; i++)
                rnn_row_backward(row_of(now, i), row_of(d_out, i), row_of(out, i), hidden, kind);
        }
    }
    // z_t = x_t·w + h_{t−1}·u + b
    if (d_x.data) matmul_nt_add(d_x, d_z, w);
    if (d_w.data) matmul_tn_add(d_w, x, d_z);
    if (d_u.data) matmul_tn_add(d_u, states_before(scratch, h, before, shape), d_z);
    if (d_b.data) add_column_sums(d_b, d_z);
    arena_rewind(scratch, mark);
}

// ---- LSTM -------------------------------------------------------------------------------------------------

// The sigmoid of a gate, 1 / (1 + e⁻ᶻ), in half the operations of sigmoid32: within 3 ulp, and never 0, because e⁻ᶻ is
// kept below e⁸⁷.
static inline float gate(float z)
{
    Exponential e = exponential_parts(clamp32(-z, -87.0f, 87.0f));
    float power = power_of_two(e.n);
    return unless_nan(z, 1.0f / (1.0f + __builtin_fmaf(e.m, power, power)));
}

// The gates of one row arrive as sums without the bias, and leave after their activations.
static void lstm_row(float *restrict h, float *restrict c, float *restrict gates, const float *b,
                     const float *c_before, int hidden)
{
    float *restrict in = gates, *restrict forget = gates + hidden, *restrict new = gates + 2 * hidden,
                    *restrict out = gates + 3 * hidden;
#pragma omp simd
    for (int j = 0; j < hidden; j++) {
        in[j] = gate(in[j] + b[j]);
        forget[j] = gate(forget[j] + b[hidden + j]);
        new[j] = tanh32(new[j] + b[2 * hidden + j]);
        out[j] = gate(out[j] + b[3 * hidden + j]);
        c[j] = __builtin_fmaf(forget[j], c_before[j], in[j] * new[j]);
        h[j] = out[j] * tanh32(c[j]);
    }
}

void lstm_forward(Arena *scratch, Matrix h, Matrix c, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b,
                  RecurrentState before, Sequences shape)
{
    const int hidden = h.cols, shares = shares_of(shape, matrix_size(u));
    ArenaMark mark = arena_mark(scratch);
    const Factor factor = factor_of(scratch, u, 0, u.cols, false, shape);
    const bool by_step = input_by_step(shape, shares);
    const Factor input = by_step ? factor_of(scratch, w, 0, w.cols, false, shape) : factor;
    const Matrix zeros = matrix_new(scratch, 1, 4 * hidden);
    const float *bias = bias_or_zeros(b, zeros);
    if (!by_step) matmul(gates, x, w);
#pragma omp parallel for if (shares > 1)
    for (int share = 0; share < shares; share++) {
        const int first = share_of(shape, shares, share).first, count = share_of(shape, shares, share).count;
        for (int t = 0; t < shape.time; t++) {
            StepRows gate = step_rows(gates, shape, first, t), now = step_rows(h, shape, first, t);
            StepRows cell = step_rows(c, shape, first, t);
            StepRows last = rows_before(h, before.hidden, shape, first, t);
            StepRows last_cell = or_zeros(rows_before(c, before.cell, shape, first, t), zeros);
            if (by_step) multiply_step(gate, step_rows(x, shape, first, t), &input, count, false);
            if (last.data) multiply_step(gate, last, &factor, count, true);
            for (int i = 0; i < count; i++)
                lstm_row(row_of(now, i), row_of(cell, i), row_of(gate, i), bias, row_of(last_cell, i),
                         hidden);
        }
    }
    arena_rewind(scratch, mark);
}

// One row. What the next step sends back stands in d_gates: to h in the first H columns, to c in the second H; what
// this step sends to the cell before it goes to d_c_before.
static void lstm_row_backward(float *restrict d_gates, float *restrict d_c_before, const float *restrict d_h,
                              const float *restrict gates, const float *restrict h, const float *c_before,
                              int hidden)
{
    const float *in = gates, *forget = gates + hidden, *new = gates + 2 * hidden, *out = gates + 3 * hidden;
    float *restrict d_in = d_gates, *restrict d_forget = d_gates + hidden,
                    *restrict d_new = d_gates + 2 * hidden, *restrict d_out = d_gates + 3 * hidden;
#pragma omp simd
    for (int j = 0; j < hidden; j++) {
        float d = d_in[j] + d_h[j];
        // h = o ⊙ tanh c, so tanh c = h / o: no gate is ever 0
        float bent = h[j] / out[j];
        float d_o = d * bent, d_c = __builtin_fmaf(d * out[j], 1.0f - bent * bent, d_forget[j]);
        // c = f ⊙ c_before + i ⊙ g
        float d_i = d_c * new[j], d_g = d_c *in[j], d_f = d_c *c_before[j];
        d_c_before[j] = d_c * forget[j];
        // i, f, o = sigmoid: slope y (1 − y); g = tanh: slope 1 − y²
        d_in[j] = d_i * (in[j] * (1.0f - in[j]));
        d_forget[j] = d_f * (forget[j] * (1.0f - forget[j]));
        d_new[j] = d_g * (1.0f - new[j] * new[j]);
        d_out[j] = d_o * (out[j] * (1.0f - out[j]));
    }
}

void lstm_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_u, Matrix d_b, Matrix d_gates, Matrix d_h,
                   Matrix h, Matrix c, Matrix gates, Matrix x, Matrix w, Matrix u, RecurrentState before,
                   Sequences shape)
{
    const int hidden = h.cols, shares = shares_of(shape, matrix_size(u));
    ArenaMark mark = arena_mark(scratch);
    const Factor back = factor_of(scratch, u, 0, u.cols, true, shape);
    const Matrix zeros = matrix_new(scratch, 1, hidden),
                 unused = matrix_uninitialised(scratch, shares, hidden);
#pragma omp parallel for if (shares > 1)
    for (int share = 0; share < shares; share++) {
        const int first = share_of(shape, shares, share).first, count = share_of(shape, shares, share).count;
        for (int t = shape.time - 1; t >= 0; t--) {
            StepRows d_gate = step_rows(d_gates, shape, first, t), gate = step_rows(gates, shape, first, t);
            StepRows d_out = step_rows(d_h, shape, first, t), now = step_rows(h, shape, first, t);
            StepRows last_cell = or_zeros(rows_before(c, before.cell, shape, first, t), zeros);
            StepRows d_last = {matrix_row(unused, share), 0};
            if (t > 0) d_last = from_column(step_rows(d_gates, shape, first, t - 1), hidden);
            // gates_{t+1} = … + h_t·u
            if (t < shape.time - 1) {
                multiply_step(d_gate, step_rows(d_gates, shape, first, t + 1), &back, count, false);
            } else {
                for (int i = 0; i < count; i++)
                    memset(row_of(d_gate, i), 0, 2 * (size_t)hidden * sizeof(float));
            }
            for (int i = 0; i < count; i++)
                lstm_row_backward(row_of(d_gate, i), row_of(d_last, i), row_of(d_out, i), row_of(gate, i),
                                  row_of(now, i), row_of(last_cell, i), hidden);
        }
    }
    // gates before their activations = x_t·w + h_{t−1}·u + b
    if (d_x.data) matmul_nt_add(d_x, d_gates, w);
    if (d_w.data) matmul_tn_add(d_w, x, d_gates);
    if (d_u.data) matmul_tn_add(d_u, states_before(scratch, h, before.hidden, shape), d_gates);
    if (d_b.data) add_column_sums(d_b, d_gates);
    arena_rewind(scratch, mark);
}

// ---- GRU --------------------------------------------------------------------------------------------------

// One row. The gates arrive as sums without the biases: r, z and n of x and h_{t−1} together, the last H columns
// h_{t−1}·u_n.
static void gru_row(float *restrict h, float *restrict gates, const float *b, const float *b_u,
                    const float *h_before, int hidden)
{
    float *restrict reset = gates, *restrict update = gates + hidden, *restrict new = gates + 2 * hidden,
                    *restrict past = gates + 3 * hidden;
#pragma omp simd
    for (int j = 0; j < hidden; j++) {
        reset[j] = gate(reset[j] + b[j] + b_u[j]);
        update[j] = gate(update[j] + b[hidden + j] + b_u[hidden + j]);
        past[j] += b_u[2 * hidden + j];
        new[j] = tanh32(__builtin_fmaf(reset[j], past[j], new[j] + b[2 * hidden + j]));
        h[j] = __builtin_fmaf(update[j], h_before[j] - new[j], new[j]);
    }
}

void gru_forward(Arena *scratch, Matrix h, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b, Matrix b_u,
                 Matrix before, Sequences shape)
{
    const int hidden = h.cols, shares = shares_of(shape, matrix_size(u));
    ArenaMark mark = arena_mark(scratch);
    const Factor both = factor_of(scratch, u, 0, 2 * hidden, false, shape);
    const Factor new = factor_of(scratch, u, 2 * hidden, hidden, false, shape);
    const bool by_step = input_by_step(shape, shares);
    const Factor input = by_step ? factor_of(scratch, w, 0, w.cols, false, shape) : new;
    const Matrix zeros = matrix_new(scratch, 1, 3 * hidden);
    const float *bias = bias_or_zeros(b, zeros), *bias_u = bias_or_zeros(b_u, zeros);
    if (!by_step)
        gemm((GemmShape){.m = x.rows, .n = w.cols, .k = x.cols}, x.data, x.cols, w.data, w.cols, gates.data,
             gates.cols);
#pragma omp parallel for if (shares > 1)
    for (int share = 0; share < shares; share++) {
        const int first = share_of(shape, shares, share).first, count = share_of(shape, shares, share).count;
        for (int t = 0; t < shape.time; t++) {
            StepRows gate = step_rows(gates, shape, first, t), now = step_rows(h, shape, first, t);
            StepRows last = rows_before(h, before, shape, first, t), past = from_column(gate, 3 * hidden);
            if (by_step) multiply_step(gate, step_rows(x, shape, first, t), &input, count, false);
            if (last.data) {
                multiply_step(gate, last, &both, count, true);
                multiply_step(past, last, &new, count, false);
            } else {
                for (int i = 0; i < count; i++) memset(row_of(past, i), 0, (size_t)hidden * sizeof(float));
            }
            last = or_zeros(last, zeros);
            for (int i = 0; i < count; i++)
                gru_row(row_of(now, i), row_of(gate, i), bias, bias_u, row_of(last, i), hidden);
        }
    }
    arena_rewind(scratch, mark);
}

// One row. What the next step sends back to h stands in the first H columns of d_gates; what passes from here to the
// state before without a product goes to d_h_before.
static void gru_row_backward(float *restrict d_gates, float *restrict d_h_before, const float *restrict d_h,
                             const float *restrict gates, const float *h_before, int hidden)
{
    const float *reset = gates, *update = gates + hidden, *new = gates + 2 * hidden,
                *past = gates + 3 * hidden;
    float *restrict d_reset = d_gates, *restrict d_update = d_gates + hidden,
                    *restrict d_new = d_gates + 2 * hidden, *restrict d_past = d_gates + 3 * hidden;
#pragma omp simd
    for (int j = 0; j < hidden; j++) {
        float d = d_reset[j] + d_h[j];
        // h = (1 − z) ⊙ n + z ⊙ h_before
        float d_z = d * (h_before[j] - new[j]), d_n = d * (1.0f - update[j]);
        d_h_before[j] = d * update[j];
        // n = tanh(… + r ⊙ past): slope 1 − y²
        float bent = d_n * (1.0f - new[j] * new[j]);
        d_new[j] = bent;
        d_past[j] = bent * reset[j];
        // r, z = sigmoid: slope y (1 − y)
        d_reset[j] = bent * past[j] * (reset[j] * (1.0f - reset[j]));
        d_update[j] = d_z * (update[j] * (1.0f - update[j]));
    }
}

// The time loop of the backward: d_gates from d_h, for the sequences first … first + count − 1.
static void gru_share_backward(Matrix d_gates, Matrix d_h, Matrix h, Matrix gates, const Factor *both,
                               const Factor *new, Matrix before, Sequences shape, int first, int count,
                               Matrix zeros, float *unused)
{
    const int hidden = h.cols;
    for (int t = shape.time - 1; t >= 0; t--) {
        StepRows d_gate = step_rows(d_gates, shape, first, t), gate = step_rows(gates, shape, first, t);
        StepRows d_out = step_rows(d_h, shape, first, t), d_last = {unused, 0};
        StepRows last = or_zeros(rows_before(h, before, shape, first, t), zeros);
        if (t > 0) d_last = step_rows(d_gates, shape, first, t - 1);
        // sums_{t+1} = … + h_t·u, for r and z together, for n apart
        if (t < shape.time - 1) {
            StepRows d_next = step_rows(d_gates, shape, first, t + 1);
            multiply_step(d_gate, d_next, both, count, true);
            multiply_step(d_gate, from_column(d_next, 3 * hidden), new, count, true);
        } else {
            for (int i = 0; i < count; i++) memset(row_of(d_gate, i), 0, (size_t)hidden * sizeof(float));
        }
        for (int i = 0; i < count; i++)
            gru_row_backward(row_of(d_gate, i), row_of(d_last, i), row_of(d_out, i), row_of(gate, i),
                             row_of(last, i), hidden);
    }
}

// d (1 × 3H) += the column sums of r and z, and of the H columns from the given one
static void give_gru_bias(Matrix d, Matrix sums, int from)
{
    const int hidden = d.cols / 3;
    for (int j = 0; d.data && j < 2 * hidden; j++) d.data[j] += sums.data[j];
    for (int j = 0; d.data && j < hidden; j++) d.data[2 * hidden + j] += sums.data[from + j];
}

void gru_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_u, Matrix d_b, Matrix d_b_u,
                  Matrix d_gates, Matrix d_h, Matrix h, Matrix gates, Matrix x, Matrix w, Matrix u,
                  Matrix before, Sequences shape)
{
    const int hidden = h.cols, shares = shares_of(shape, matrix_size(u)), rows = h.rows, wide = 4 * hidden;
    ArenaMark mark = arena_mark(scratch);
    const Factor both = factor_of(scratch, u, 0, 2 * hidden, true, shape);
    const Factor new = factor_of(scratch, u, 2 * hidden, hidden, true, shape);
    const Matrix zeros = matrix_new(scratch, 1, hidden),
                 unused = matrix_uninitialised(scratch, shares, hidden);
#pragma omp parallel for if (shares > 1)
    for (int share = 0; share < shares; share++) {
        const int first = share_of(shape, shares, share).first, count = share_of(shape, shares, share).count;
        gru_share_backward(d_gates, d_h, h, gates, &both, &new, before, shape, first, count, zeros,
                           matrix_row(unused, share));
    }
    // sums of r, z, n = x_t·w + b
    if (d_x.data)
        gemm((GemmShape){.m = rows, .n = x.cols, .k = w.cols, .transpose_b = true, .accumulate = true},
             d_gates.data, wide, w.data, w.cols, d_x.data, d_x.cols);
    if (d_w.data)
        gemm((GemmShape){.m = x.cols, .n = w.cols, .k = rows, .transpose_a = true, .accumulate = true},
             x.data, x.cols, d_gates.data, wide, d_w.data, d_w.cols);
    // … + h_{t−1}·u + b_u
    if (d_u.data) {
        Matrix shifted = states_before(scratch, h, before, shape);
        GemmShape product = {
            .m = hidden, .n = 2 * hidden, .k = rows, .transpose_a = true, .accumulate = true};
        gemm(product, shifted.data, hidden, d_gates.data, wide, d_u.data, d_u.cols);
        product.n = hidden;
        gemm(product, shifted.data, hidden, d_gates.data + 3 * hidden, wide, d_u.data + 2 * hidden, d_u.cols);
    }
    if (d_b.data || d_b_u.data) {
        Matrix sums = matrix_new(scratch, 1, wide);
        add_column_sums(sums, d_gates);
        give_gru_bias(d_b, sums, 2 * hidden);
        give_gru_bias(d_b_u, sums, 3 * hidden);
    }
    arena_rewind(scratch, mark);
}

// ---- Naive twins ------------------------------------------------------------------------------------------

static inline float bias_at(const float *b, int j) { return b ? b[j] : 0.0f; }

// Σ_k x_k w_kj, continued from a sum that is there already
static float chain(float sum, const float *x, Matrix w, int j)
{
    for (int k = 0; x && k < w.rows; k++) sum = __builtin_fmaf(x[k], AT(w, k, j), sum);
    return sum;
}

void rnn_naive_forward(Matrix h, Matrix x, Matrix w, Matrix u, Matrix b, Matrix before, Sequences shape,
                       RnnKind kind)
{
    for (int s = 0; s < shape.batch; s++) {
        for (int t = 0; t < shape.time; t++) {
            int row = s * shape.time + t;
            const float *last = row_of(rows_before(h, before, shape, s, t), 0);
            for (int j = 0; j < h.cols; j++) {
                float z = chain(chain(0.0f, matrix_row(x, row), w, j), last, u, j) + bias_at(b.data, j);
                AT(h, row, j) = kind == RNN_TANH ? tanh32(z) : kind == RNN_RELU && z < 0.0f ? 0.0f : z;
            }
        }
    }
}

void lstm_naive_forward(Matrix h, Matrix c, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b,
                        RecurrentState before, Sequences shape)
{
    for (int s = 0; s < shape.batch; s++) {
        for (int t = 0; t < shape.time; t++) {
            int row = s * shape.time + t;
            const float *last = row_of(rows_before(h, before.hidden, shape, s, t), 0);
            const float *last_cell = row_of(rows_before(c, before.cell, shape, s, t), 0);
            for (int j = 0; j < h.cols; j++) {
                float z[4];
                for (int g = 0; g < 4; g++) {
                    int column = g * h.cols + j;
                    z[g] = chain(chain(0.0f, matrix_row(x, row), w, column), last, u, column) +
                           bias_at(b.data, column);
                    z[g] = g == 2 ? tanh32(z[g]) : gate(z[g]);
                    AT(gates, row, column) = z[g];
                }
                AT(c, row, j) = __builtin_fmaf(z[1], last_cell ? last_cell[j] : 0.0f, z[0] * z[2]);
                AT(h, row, j) = z[3] * tanh32(AT(c, row, j));
            }
        }
    }
}

void gru_naive_forward(Matrix h, Matrix gates, Matrix x, Matrix w, Matrix u, Matrix b, Matrix b_u,
                       Matrix before, Sequences shape)
{
    const int hidden = h.cols;
    for (int s = 0; s < shape.batch; s++) {
        for (int t = 0; t < shape.time; t++) {
            int row = s * shape.time + t;
            const float *last = row_of(rows_before(h, before, shape, s, t), 0);
            for (int j = 0; j < hidden; j++) {
                float z[2];
                for (int g = 0; g < 2; g++) {
                    int column = g * hidden + j;
                    float sum = chain(chain(0.0f, matrix_row(x, row), w, column), last, u, column);
                    z[g] = gate(sum + bias_at(b.data, column) + bias_at(b_u.data, column));
                    AT(gates, row, column) = z[g];
                }
                int column = 2 * hidden + j;
                float past = chain(0.0f, last, u, column) + bias_at(b_u.data, column);
                float sum = chain(0.0f, matrix_row(x, row), w, column) + bias_at(b.data, column);
                float new = tanh32(__builtin_fmaf(z[0], past, sum));
                AT(gates, row, column) = new;
                AT(gates, row, 3 * hidden + j) = past;
                AT(h, row, j) = __builtin_fmaf(z[1], (last ? last[j] : 0.0f) - new, new);
            }
        }
    }
}
