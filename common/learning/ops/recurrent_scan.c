// recurrent_scan.c: recurrences without an activation: one step after the other, as a scan, as a convolution. See
// recurrent.h.
#include "base/parallel.h"
#include "learning/ops/recurrent.h"

#include <string.h>

// Channels do not meet: they are dealt out in blocks, and each block of each sequence is a piece of work.
enum { BLOCK = 64 };

static inline int blocks_of(int channels) { return (channels + BLOCK - 1) / BLOCK; }

// ---- Linear recurrence ------------------------------------------------------------------------------------

// The factors of row i: the only row there is, or its own.
static inline const float *factors(Matrix a, size_t row, int channel)
{
    return a.data + (a.rows == 1 ? 0 : row * (size_t)a.cols) + channel;
}

void linear_recurrence_forward(Matrix h, Matrix a, Matrix x, Sequences shape)
{
    const int blocks = blocks_of(h.cols);
    PARALLEL_FOR(parallel_worth(matrix_size(h)), work, shape.batch * blocks, {
        int channel = work % blocks * BLOCK, width = int_min(BLOCK, h.cols - channel);
        float state[BLOCK] = {0};
        for (int t = 0; t < shape.time; t++) {
            size_t row = (size_t)(work / blocks) * (size_t)shape.time + (size_t)t, at = row * (size_t)h.cols;
            const float *factor = factors(a, row, channel), *in = x.data + at + (size_t)channel;
            float *out = h.data + at + (size_t)channel;
            for (int j = 0; j < width; j++) out[j] = state[j] = __builtin_fmaf(factor[j], state[j], in[j]);
        }
    });
}

// One block of channels of one sequence. total (BLOCK) receives Σ_t of the gradient of a, when a is the same for all
// steps; d_a is written to when it is not.
static void recurrence_block_backward(float *restrict total, Matrix d_a, Matrix d_x, Matrix d_h, Matrix h,
                                      Matrix a, Sequences shape, int sequence, int channel)
{
    const int width = int_min(BLOCK, h.cols - channel);
    float d[BLOCK] = {0}; // the gradient of h_t, with all that the later steps send back
    for (int t = shape.time - 1; t >= 0; t--) {
        size_t row = (size_t)sequence * (size_t)shape.time + (size_t)t;
        size_t at = row * (size_t)h.cols + (size_t)channel;
        // h_{t+1} = a_{t+1} ⊙ h_t + …
        const float *next = t < shape.time - 1 ? factors(a, row + 1, channel) : NULL;
        for (int j = 0; j < width; j++)
            d[j] = next ? __builtin_fmaf(next[j], d[j], d_h.data[at + (size_t)j]) : d_h.data[at + (size_t)j];
        // h_t = a_t ⊙ h_{t−1} + x_t
        for (int j = 0; d_x.data && j < width; j++) d_x.data[at + (size_t)j] += d[j];
        if (!d_a.data || t == 0) continue;
        const float *last = h.data + at - h.cols;
        float *out = d_a.rows == 1 ? total : d_a.data + at;
        for (int j = 0; j < width; j++) out[j] = __builtin_fmaf(d[j], last[j], out[j]);
    }
}

void linear_recurrence_backward(Matrix d_a, Matrix d_x, Matrix d_h, Matrix h, Matrix a, Sequences shape)
{
    // The gradient of a shared factor is a sum over sequences: so many at a time side by side, then added in order.
    enum { TOGETHER = 32 };
    const bool shared = d_a.data && a.rows == 1;
    for (int block = 0; block < blocks_of(h.cols); block++) {
        const int channel = block * BLOCK, width = int_min(BLOCK, h.cols - channel);
        for (int from = 0; from < shape.batch; from += TOGETHER) {
            const int count = int_min(TOGETHER, shape.batch - from);
            float total[TOGETHER][BLOCK] = {{0}};
            PARALLEL_FOR(parallel_worth((size_t)count * (size_t)shape.time * (size_t)width), i, count,
                         recurrence_block_backward(total[i], d_a, d_x, d_h, h, a, shape, from + i, channel));
            for (int i = 0; shared && i < count; i++)
                for (int j = 0; j < width; j++) d_a.data[channel + j] += total[i][j];
        }
    }
}

// (a, x) of row i = (a, x) of row j ∘ (a, x) of row i: first j, then i
static void compose(Matrix a, Matrix x, size_t i, size_t j)
{
    const size_t channels = (size_t)x.cols;
    float *restrict a_late = a.data + i * channels, *restrict x_late = x.data + i * channels;
    const float *a_early = a.data + j * channels, *x_early = x.data + j * channels;
#pragma omp simd
    for (size_t c = 0; c < channels; c++) {
        x_late[c] = __builtin_fmaf(a_late[c], x_early[c], x_late[c]);
        a_late[c] *= a_early[c];
    }
}

// One round: steps first, first + stride, … of every sequence take in the step `distance` before them. No step of a
// round is taken in by another, so all can be done at the same time.
static void scan_round(Matrix a, Matrix x, Sequences shape, int first, int stride, int distance)
{
    if (first >= shape.time) return;
    const int steps = (shape.time - 1 - first) / stride + 1;
    PARALLEL_FOR(parallel_worth((size_t)shape.batch * (size_t)steps * (size_t)x.cols), work,
                 shape.batch * steps, {
                     size_t row = (size_t)(work / steps) * (size_t)shape.time + (size_t)first +
                                  (size_t)(work % steps) * (size_t)stride;
                     compose(a, x, row, row - (size_t)distance);
                 });
}

void linear_recurrence_scan(Arena *scratch, Matrix h, Matrix a, Matrix x, Sequences shape)
{
    ArenaMark mark = arena_mark(scratch);
    Matrix product = matrix_uninitialised(scratch, h.rows, h.cols);
    for (int i = 0; i < h.rows; i++)
        memcpy(matrix_row(product, i), factors(a, (size_t)i, 0), (size_t)h.cols * sizeof(float));
    copy(h, x);
    // Up: pairs, pairs of pairs, …: step 2d·k − 1 holds the composition of the last 2d steps.
    int distance = 1;
    for (; distance < shape.time; distance *= 2)
        scan_round(product, h, shape, 2 * distance - 1, 2 * distance, distance);
    // Down: what is whole to its left completes a piece that is not.
    for (distance /= 2; distance >= 1; distance /= 2)
        scan_round(product, h, shape, 3 * distance - 1, 2 * distance, distance);
    arena_rewind(scratch, mark);
}

// ---- Causal convolution -----------------------------------------------------------------------------------

void causal_conv_forward(Matrix y, Matrix x, Matrix w, Sequences shape)
{
    PARALLEL_FOR(parallel_worth(matrix_size(y) * (size_t)w.rows), row, y.rows, {
        float *restrict out = matrix_row(y, row);
        memset(out, 0, (size_t)y.cols * sizeof(float));
        for (int j = 0; j < int_min(w.rows, row % shape.time + 1); j++) {
            const float *tap = matrix_row(w, j), *in = matrix_row(x, row - j);
            for (int c = 0; c < y.cols; c++) out[c] = __builtin_fmaf(tap[c], in[c], out[c]);
        }
    });
}

void causal_conv_backward(Matrix d_x, Matrix d_w, Matrix d_y, Matrix x, Matrix w, Sequences shape)
{
    // y_t = Σ_j w_j ⊙ x_{t−j}: x_t is met by w_j in y_{t+j}
    PARALLEL_FOR(parallel_worth(matrix_size(x) * (size_t)w.rows), row, d_x.rows, {
        float *restrict out = matrix_row(d_x, row);
        for (int j = 0; d_x.data && j < int_min(w.rows, shape.time - row % shape.time); j++) {
            const float *tap = matrix_row(w, j), *in = matrix_row(d_y, row + j);
            for (int c = 0; c < x.cols; c++) out[c] = __builtin_fmaf(tap[c], in[c], out[c]);
        }
    });
    if (!d_w.data) return;
    // and w_j meets x_{t−j} in every y_t with t ≥ j
    PARALLEL_FOR(parallel_worth(matrix_size(x) * (size_t)w.rows), j, w.rows, {
        float *restrict out = matrix_row(d_w, j);
        for (int row = j; row < x.rows; row++) {
            if (row % shape.time < j) continue;
            const float *in = matrix_row(x, row - j), *up = matrix_row(d_y, row);
            for (int c = 0; c < x.cols; c++) out[c] = __builtin_fmaf(up[c], in[c], out[c]);
        }
    });
}
