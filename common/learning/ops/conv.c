// conv.c: convolution and pooling. See conv.h.
#include "learning/ops/conv.h"
#include "base/parallel.h"
#include "matrix/windows.h"

#include <limits.h>
#include <math.h>
#include <string.h>

// ---- Windows ----------------------------------------------------------------------------------------------

static Window usual(Window window)
{
    if (window.stride == 0) window.stride = 1;
    if (window.groups == 0) window.groups = 1;
    return window;
}

Grid window_grid(Place place, Grid grid, Window window)
{
    window = usual(window);
    check_at(place, grid.count >= 0 && grid.height > 0 && grid.width > 0,
             "a grid is {pictures, height, width}", "a grid of %d pictures of %d × %d pixels", grid.count,
             grid.height, grid.width);
    check_at(place, window.height > 0 && window.width > 0 && window.stride > 0 && window.padding >= 0,
             "a window is {height, width, stride, padding, groups}",
             "a window of %d × %d pixels, stride %d, padding %d", window.height, window.width, window.stride,
             window.padding);
    const long long height = grid.height + 2LL * window.padding, width = grid.width + 2LL * window.padding;
    check_at(place, window.height <= height && window.width <= width,
             "take a smaller window, add padding, or shrink the picture less before",
             "a window of %d × %d pixels does not fit on pictures of %d × %d with padding %d", window.height,
             window.width, grid.height, grid.width, window.padding);
    const Grid out = {grid.count, (int)((height - window.height) / window.stride) + 1,
                      (int)((width - window.width) / window.stride) + 1};
    const size_t pixels = size_product(place, (size_t)out.height, (size_t)out.width);
    check_at(place, size_product(place, pixels, (size_t)out.count) <= INT_MAX, "take smaller batches",
             "%d pictures of %d × %d pixels are too many for one matrix", out.count, out.height, out.width);
    return out;
}

// The pixel of x under tap (dy, dx) of the window at (i, j); −1: it lies outside.
static inline int pixel_under(Grid grid, Window window, int i, int j, int dy, int dx)
{
    const int y = i * window.stride + dy - window.padding, x = j * window.stride + dx - window.padding;
    if (y < 0 || y >= grid.height || x < 0 || x >= grid.width) return -1;
    return y * grid.width + x;
}

// ---- Convolution, plainly ---------------------------------------------------------------------------------
// The gradient of a weight is a long sum. It is cut into chunks of pictures whose number depends on the batch
// alone; each is summed in the order of the pixels, and the chunks are added in order.

enum { MOST_CHUNKS = 8 };

static int chunk_pictures(int count) { return (count + MOST_CHUNKS - 1) / MOST_CHUNKS; }

void conv2d_naive_forward(Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window)
{
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const int channels = x.cols / window.groups, outputs = y.cols / window.groups;
    for (int n = 0; n < grid.count; n++)
        for (int i = 0; i < out.height; i++)
            for (int j = 0; j < out.width; j++)
                for (int o = 0; o < y.cols; o++) {
                    float total = b.data ? b.data[o] : 0.0f;
                    for (int dy = 0; dy < window.height; dy++)
                        for (int dx = 0; dx < window.width; dx++) {
                            const int pixel = pixel_under(grid, window, i, j, dy, dx);
                            if (pixel < 0) continue;
                            const float *in =
                                matrix_row(x, n * grid.height * grid.width + pixel) + o / outputs * channels;
                            const int tap = (dy * window.width + dx) * channels;
                            for (int c = 0; c < channels; c++)
                                total = __builtin_fmaf(in[c], AT(w, tap + c, o), total);
                        }
                    AT(y, (n * out.height + i) * out.width + j, o) = total;
                }
}

// d_x of every pixel that the window at output pixel (i, j) of picture n has seen
static void naive_pixel_backward(Matrix d_x, Matrix d_y, Matrix w, Grid grid, Window window, int n, int i,
                                 int j)
{
    const Grid out = window_grid(HERE, grid, window);
    const int channels = d_x.cols / window.groups, outputs = d_y.cols / window.groups;
    const float *d_out = matrix_row(d_y, (n * out.height + i) * out.width + j);
    for (int dy = 0; dy < window.height; dy++)
        for (int dx = 0; dx < window.width; dx++) {
            const int pixel = pixel_under(grid, window, i, j, dy, dx);
            if (pixel < 0) continue;
            float *d_in = matrix_row(d_x, n * grid.height * grid.width + pixel);
            for (int c = 0; c < d_x.cols; c++) {
                const int tap = (dy * window.width + dx) * channels + c % channels;
                const int first = c / channels * outputs;
                for (int o = first; o < first + outputs; o++)
                    d_in[c] = __builtin_fmaf(d_out[o], AT(w, tap, o), d_in[c]);
            }
        }
}

// What pictures first … last − 1 add to d_w of tap (dy, dx), channel c of its group, output o
static float naive_weight_backward(Matrix d_y, Matrix x, Grid grid, Window window, int first, int last,
                                   int dy, int dx, int c, int o)
{
    const Grid out = window_grid(HERE, grid, window);
    const int channels = x.cols / window.groups, group = o / (d_y.cols / window.groups);
    float total = 0.0f;
    for (int n = first; n < last; n++)
        for (int i = 0; i < out.height; i++)
            for (int j = 0; j < out.width; j++) {
                const int pixel = pixel_under(grid, window, i, j, dy, dx);
                if (pixel < 0) continue;
                total = __builtin_fmaf(AT(x, n * grid.height * grid.width + pixel, group * channels + c),
                                       AT(d_y, (n * out.height + i) * out.width + j, o), total);
            }
    return total;
}

void conv2d_naive_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w, Grid grid,
                           Window window)
{
    // y_po = b_o + Σ x[pixel under tap, c] · w[tap, c, o]
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
    for (int n = 0; d_x.data && n < grid.count; n++)
        for (int i = 0; i < out.height; i++)
            for (int j = 0; j < out.width; j++) naive_pixel_backward(d_x, d_y, w, grid, window, n, i, j);

    const int channels = x.cols / window.groups, chunk = chunk_pictures(grid.count);
    for (int first = 0; d_w.data && first < grid.count; first += chunk)
        for (int dy = 0; dy < window.height; dy++)
            for (int dx = 0; dx < window.width; dx++)
                for (int c = 0; c < channels; c++)
                    for (int o = 0; o < d_y.cols; o++)
                        AT(d_w, (dy * window.width + dx) * channels + c, o) += naive_weight_backward(
                            d_y, x, grid, window, first, int_min(first + chunk, grid.count), dy, dx, c, o);
    const int pixels = out.height * out.width;
    for (int first = 0; d_b.data && first < grid.count; first += chunk)
        for (int o = 0; o < d_y.cols; o++) {
            float total = 0.0f;
            for (int p = first * pixels; p < int_min(first + chunk, grid.count) * pixels; p++)
                total += AT(d_y, p, o);
            d_b.data[o] += total;
        }
}

// ---- Patches ----------------------------------------------------------------------------------------------

void grid_to_patches(Matrix patches, Matrix x, Grid grid, Window window)
{
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const size_t channels = (size_t)x.cols;
#pragma omp parallel for if (parallel_worth(matrix_size(patches)))
    for (int p = 0; p < patches.rows; p++) {
        const int n = p / (out.height * out.width), i = p / out.width % out.height, j = p % out.width;
        float *patch = matrix_row(patches, p);
        for (int dy = 0; dy < window.height; dy++)
            for (int dx = 0; dx < window.width; dx++, patch += channels) {
                const int pixel = pixel_under(grid, window, i, j, dy, dx);
                if (pixel < 0) {
                    memset(patch, 0, channels * sizeof *patch);
                } else {
                    memcpy(patch, matrix_row(x, n * grid.height * grid.width + pixel),
                           channels * sizeof *patch);
                }
            }
    }
}

void patches_to_grid(Matrix d_x, Matrix d_patches, Grid grid, Window window)
{
    // patch p, tap t = pixel under it: a pixel receives from every window that has seen it, in their order
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const int windows = out.height * out.width, channels = d_x.cols;
#pragma omp parallel for if (parallel_worth(matrix_size(d_patches)))
    for (int n = 0; n < grid.count; n++)
        for (int p = 0; p < windows; p++) {
            const float *patch = matrix_row(d_patches, n * windows + p);
            for (int dy = 0; dy < window.height; dy++)
                for (int dx = 0; dx < window.width; dx++, patch += channels) {
                    const int pixel = pixel_under(grid, window, p / out.width, p % out.width, dy, dx);
                    if (pixel < 0) continue;
                    float *restrict d_in = matrix_row(d_x, n * grid.height * grid.width + pixel);
                    for (int c = 0; c < channels; c++) d_in[c] += patch[c];
                }
        }
}

// ---- Convolution ------------------------------------------------------------------------------------------
// One line of the output at a time, all its channels: that is a product whose first factor is what the windows
// show of the lines of x (matrix/windows.h). Nothing is copied but pictures that need a margin, one at a time.
//
// d_x is a convolution of d_y: the pixels of x that lie alike under the windows, those whose row and column leave
// the same remainders (a phase) when divided by the stride, meet the same taps, in steps of one pixel of d_y.
//
// Fewer channels than a vector has lanes would waste the others. Then `fold` neighbouring pixels become one with
// fold times the channels, and the window sees a few pixels more, with weights 0 for those that are not its own.

typedef struct {
    Grid grid, out;
    Window window;
    int inputs, outputs; // channels of one group
} Plan;

static Plan plan_of(Grid grid, Window window, int inputs, int outputs)
{
    window = usual(window);
    if (window.height == 1 && window.width == 1 && window.stride == 1 && window.padding == 0) {
        grid.width *= grid.height; // every pixel alone: one long line
        grid.height = 1;
    }
    return (Plan){grid, window_grid(HERE, grid, window), window, inputs / window.groups,
                  outputs / window.groups};
}

// Of the lines of length pixels, how many neighbours become one, so that a vector is well used? The window has width
// taps and moves by stride, and there are so many channels.
static int best_fold(int length, int width, int stride, int channels)
{
    enum { WIDEST = 16, LEAST_SUMS = 8 }; // a choice for speed alone: no result depends on it
    int best = 1;
    long least = LONG_MAX;
    for (int fold = 1; fold * channels <= 2 * WIDEST && fold <= length; fold++) {
        if (length % fold != 0) continue;
        const int vectors = (fold * channels + WIDEST - 1) / WIDEST;
        const long cost = (long)(width + (fold - 1) * stride) * int_max(length / fold * vectors, LEAST_SUMS);
        if (cost < least) least = cost, best = fold;
    }
    return best;
}

// Lines of pixels, side by side in memory: pixel j of line i is at data + (i · length + j) · channels.
typedef struct {
    const float *data;
    int length, channels;
} Lines;

static const float *pixel_at(Lines lines, int i, int j)
{
    return lines.data + ((size_t)i * (size_t)lines.length + (size_t)j) * (size_t)lines.channels;
}

// Lines first … last − 1 of a picture, with margin pixels of zeros on their left and zeros up to length on their
// right. column: of the first channel. Where active is given, only numbers for which it is positive are kept.
typedef struct {
    const float *picture, *active; // the latter NULL: all numbers
    int width, columns;            // of the picture: pixels in a line, channels of all groups
    int column, channels;          // those that are wanted
    int margin, length;            // in pixels
} Cut;

static Lines cut_lines(const Cut *cut, int first, int last, float *to)
{
    const size_t line = (size_t)cut->width * (size_t)cut->columns, channels = (size_t)cut->channels;
    if (cut->length == cut->width && cut->channels == cut->columns && !cut->active)
        return (Lines){cut->picture + (size_t)first * line, cut->length, cut->channels};
    const size_t length = (size_t)cut->length * channels, margin = (size_t)cut->margin * channels;
    const size_t right = length - margin - (size_t)cut->width * channels;
    for (int i = first; i < last; i++) {
        const size_t place = (size_t)i * line + (size_t)cut->column;
        float *restrict out = to + (size_t)(i - first) * length;
        memset(out, 0, margin * sizeof *out);
        out += margin;
        // Where all channels are wanted, the whole line is one piece.
        const size_t pieces = cut->channels == cut->columns ? 1 : (size_t)cut->width;
        const size_t piece = (size_t)cut->width * channels / pieces;
        const float *in = cut->picture + place, *active = cut->active ? cut->active + place : NULL;
        for (size_t j = 0; j < pieces; j++, in += cut->columns, out += piece) {
            if (!active) {
                memcpy(out, in, piece * sizeof *out);
                continue;
            }
            for (size_t c = 0; c < piece; c++) out[c] = active[c] > 0.0f ? in[c] : 0.0f;
            active += cut->columns;
        }
        memset(out, 0, right * sizeof *out);
    }
    return (Lines){to, cut->length, cut->channels};
}

static Cut cut_of_x(const Plan *plan, Matrix x, int picture, int group)
{
    return (Cut){.picture = matrix_row(x, picture * plan->grid.height * plan->grid.width),
                 .width = plan->grid.width,
                 .columns = x.cols,
                 .column = group * plan->inputs,
                 .channels = plan->inputs,
                 .margin = plan->window.padding,
                 .length = plan->grid.width + 2 * plan->window.padding};
}

// How many taps of a window of this side meet a pixel of this phase?
static int phase_taps(int side, int stride, int phase) { return (side - phase + stride - 1) / stride; }

static Cut cut_of_d_y(const Plan *plan, Matrix d_y, const float *active, int picture, int group)
{
    const size_t first = (size_t)picture * (size_t)(plan->out.height * plan->out.width) * (size_t)d_y.cols;
    const Window window = plan->window;
    const int margin = phase_taps(window.width, window.stride, 0) - 1;
    const int seen = (plan->grid.width - 1 + window.padding) / window.stride + 1;
    return (Cut){.picture = d_y.data + first,
                 .active = active ? active + first : NULL,
                 .width = plan->out.width,
                 .columns = d_y.cols,
                 .column = group * plan->outputs,
                 .channels = plan->outputs,
                 .margin = margin,
                 .length = margin + int_max(plan->out.width, seen)};
}

// The weights as the product wants them: w itself, or folded.
static const float *folded_weights(Arena *scratch, const Plan *plan, Matrix w, int fold)
{
    if (fold == 1) return w.data;
    const Window window = plan->window;
    const int seen = window.width + (fold - 1) * window.stride, outputs = plan->outputs;
    Matrix folded = matrix_new(scratch, window.height * seen * plan->inputs, fold * outputs);
    for (int dy = 0; dy < window.height; dy++)
        for (int f = 0; f < fold; f++)
            for (int dx = 0; dx < window.width; dx++)
                for (int c = 0; c < plan->inputs; c++)
                    memcpy(&AT(folded, (dy * seen + dx + f * window.stride) * plan->inputs + c, f * outputs),
                           matrix_row(w, (dy * window.width + dx) * plan->inputs + c),
                           (size_t)outputs * sizeof(float));
    return folded.data;
}

static const float *folded_bias(Arena *scratch, Matrix b, int fold)
{
    if (fold == 1 || !b.data) return b.data;
    Matrix folded = matrix_uninitialised(scratch, fold, b.cols);
    for (int f = 0; f < fold; f++) memcpy(matrix_row(folded, f), b.data, (size_t)b.cols * sizeof(float));
    return folded.data;
}

// What all lines of the output have in common.
typedef struct {
    Plan plan;
    Matrix y, x, w;
    const float *weights, *bias; // folded
    int fold;
    bool relu;
} Forward;

// Lines first … last − 1 of the output of a picture; place is for a cut.
static void forward_lines(const Forward *f, float *place, int picture, int group, int first, int last)
{
    const Plan *plan = &f->plan;
    const Window window = plan->window;
    const int above = int_max(0, first * window.stride - window.padding);
    const int below = int_min(plan->grid.height, (last - 1) * window.stride - window.padding + window.height);
    const Cut cut = cut_of_x(plan, f->x, picture, group);
    const Lines x = cut_lines(&cut, above, below, place);
    const int terms = (window.width + (f->fold - 1) * window.stride) * plan->inputs;
    const size_t b_term = (size_t)f->fold * (size_t)f->w.cols;
    for (int i = first; i < last; i++) {
        // The lines of the window that lie on the picture.
        const int top = i * window.stride - window.padding;
        const int dy = int_max(0, -top), end = int_min(window.height, plan->grid.height - top);
        window_product((WindowProduct){
            .rows = plan->out.width / f->fold,
            .columns = f->fold * plan->outputs,
            .pieces = int_max(0, end - dy),
            .terms = terms,
            .a = pixel_at(x, top + dy - above, 0),
            .a_row = (size_t)(f->fold * window.stride) * (size_t)plan->inputs,
            .a_piece = (size_t)x.length * (size_t)plan->inputs,
            .a_term = 1,
            .b = f->weights + (size_t)(dy * terms) * b_term + group * plan->outputs,
            .b_piece = (size_t)terms * b_term,
            .b_term = b_term,
            .c = &AT(f->y, (picture * plan->out.height + i) * plan->out.width, group * plan->outputs),
            .c_row = (size_t)f->fold * (size_t)f->y.cols,
            .bias = f->bias ? f->bias + group * plan->outputs : NULL,
            .relu = f->relu,
        });
    }
}

// y = x ∗ w + b, or max(0, x ∗ w + b)
static void forward(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window,
                    bool relu)
{
    ArenaMark mark = arena_mark(scratch);
    Forward f = {.plan = plan_of(grid, window, x.cols, y.cols), .y = y, .x = x, .w = w, .relu = relu};
    const Plan *plan = &f.plan;
    const int groups = plan->window.groups, threads = parallel_threads(), height = plan->out.height;
    if (groups == 1)
        f.fold = best_fold(plan->out.width, plan->window.width, plan->window.stride, plan->outputs);
    if (groups > 1) f.fold = 1;
    f.weights = folded_weights(scratch, plan, w, f.fold);
    f.bias = folded_bias(scratch, b, f.fold);
    const int length = plan->grid.width + 2 * plan->window.padding;
    Matrix places = matrix_uninitialised(scratch, threads, plan->grid.height * length * plan->inputs);
    // A band of lines of one picture and one group at a time; whole pictures when there are enough of them.
    const int wanted = (2 * threads + plan->grid.count * groups - 1) / int_max(1, plan->grid.count * groups);
    const int bands = plan->grid.count * groups >= 2 * threads ? 1 : int_min(height, wanted);
    const int parts = plan->grid.count * groups * bands;
    // Fixed shares, here and below: each core finds in its own cache the pictures that it wrote in the layer before.
#pragma omp parallel for schedule(static) if (parallel_worth(matrix_size(y) * (size_t)w.rows / 8))
    for (int part = 0; part < parts; part++) {
        const int band = part % bands, group = part / bands % groups, picture = part / bands / groups;
        forward_lines(&f, matrix_row(places, parallel_number()), picture, group, height * band / bands,
                      height * (band + 1) / bands);
    }
    arena_rewind(scratch, mark);
}

void conv2d_forward(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window)
{
    forward(scratch, y, x, w, b, grid, window, false);
}

// The weights that pixels of one phase meet in d_y, for one group: (lines · steps · O × fold · C). The first line of
// d_y that a pixel sees has met it through the last line of the window.
static void turned_weights(Matrix turned, const Plan *plan, Matrix w, int group, int phase_y, int phase_x,
                           int fold)
{
    const Window window = plan->window;
    const int lines = phase_taps(window.height, window.stride, phase_y);
    const int taps = phase_taps(window.width, window.stride, phase_x), seen = taps + fold - 1;
    const int inputs = plan->inputs, outputs = plan->outputs;
    fill(turned, 0.0f);
    for (int i = 0; i < lines; i++)
        for (int j = 0; j < taps; j++) {
            const int dy = phase_y + window.stride * (lines - 1 - i),
                      dx = phase_x + window.stride * (taps - 1 - j);
            for (int f = 0; f < fold; f++)
                for (int o = 0; o < outputs; o++)
                    for (int c = 0; c < inputs; c++)
                        AT(turned, ((i * seen) + j + f) * outputs + o, f * inputs + c) =
                            AT(w, (dy * window.width + dx) * inputs + c, group * outputs + o);
        }
}

// What the gradients of all pictures have in common. The data of what is not wanted is NULL.
typedef struct {
    Plan plan;
    Matrix d_x, d_y, x, w;
    bool accumulate;     // add to d_x
    const float *active; // NULL, or where it is not positive d_y counts as 0
    Matrix *turned;      // for each group and phase: [(group · stride + phase_y) · stride + phase_x]
    int fold;            // of d_x
} Backward;

// d_x of the pixels of one line of a picture
static void d_x_line(const Backward *k, Lines d_y, int picture, int group, int line)
{
    const Plan *plan = &k->plan;
    const Window window = plan->window;
    const int margin = phase_taps(window.width, window.stride, 0) - 1;
    const int phase_y = (line + window.padding) % window.stride,
              last = (line + window.padding) / window.stride;
    const int lines = phase_taps(window.height, window.stride, phase_y), top = last - lines + 1;
    const int first = int_max(0, top), end = int_min(plan->out.height, last + 1);
    for (int phase_x = 0; phase_x < window.stride; phase_x++) {
        // The first pixel of this phase, and the first pixel of d_y that has seen it.
        const int phases = window.stride, j = (phase_x + phases - window.padding % phases) % phases;
        if (j >= plan->grid.width) continue;
        const int taps = phase_taps(window.width, window.stride, phase_x);
        const int left = (j + window.padding) / window.stride - taps + 1;
        const Matrix turned = k->turned[(group * phases + phase_y) * phases + phase_x];
        const size_t terms = (size_t)(taps + k->fold - 1) * (size_t)plan->outputs,
                     columns = (size_t)turned.cols;
        window_product((WindowProduct){
            .rows = ((plan->grid.width - j + phases - 1) / phases) / k->fold,
            .columns = turned.cols,
            .pieces = taps > 0 ? int_max(0, end - first) : 0,
            .terms = (int)terms,
            .a = pixel_at(d_y, first, left + margin),
            .a_row = (size_t)k->fold * (size_t)plan->outputs,
            .a_piece = (size_t)d_y.length * (size_t)plan->outputs,
            .a_term = 1,
            .b = turned.data + (size_t)(first - top) * terms * columns,
            .b_piece = terms * columns,
            .b_term = columns,
            .c = &AT(k->d_x, (picture * plan->grid.height + line) * plan->grid.width + j,
                     group * plan->inputs),
            .c_row = (size_t)(k->fold * phases) * (size_t)k->d_x.cols,
            .accumulate = k->accumulate,
        });
    }
}

// d_w of one picture, into or onto what those before it gave
static void d_w_picture(const Backward *k, Matrix d_w, Lines x, Lines d_y, int group, bool onto)
{
    const Plan *plan = &k->plan;
    const Window window = plan->window;
    const int margin = phase_taps(window.width, window.stride, 0) - 1;
    for (int dy = 0; dy < window.height; dy++) {
        // The lines of the output whose window has this line of its own on the picture.
        const int first = int_max(0, (window.padding - dy + window.stride - 1) / window.stride);
        const int bottom = plan->grid.height - 1 + window.padding - dy;
        const int end = bottom < 0 ? 0 : int_min(plan->out.height, bottom / window.stride + 1);
        window_product((WindowProduct){
            .rows = window.width * plan->inputs,
            .columns = plan->outputs,
            .pieces = int_max(0, end - first),
            .terms = plan->out.width,
            .a = pixel_at(x, first * window.stride + dy - window.padding, 0),
            .a_row = 1,
            .a_piece = (size_t)(window.stride * x.length) * (size_t)plan->inputs,
            .a_term = (size_t)(window.stride * plan->inputs),
            .b = pixel_at(d_y, first, margin),
            .b_piece = (size_t)d_y.length * (size_t)plan->outputs,
            .b_term = (size_t)plan->outputs,
            .c = &AT(d_w, dy * window.width * plan->inputs, group * plan->outputs),
            .c_row = (size_t)d_w.cols,
            .accumulate = onto,
        });
    }
}

// total += the numbers of all lines in width ≤ 8 columns from column on; always inlined, so that eight become a vector
static inline __attribute__((always_inline)) void add_lines(float *total, Lines lines, int height, int width,
                                                            int margin, int column, int columns)
{
    float sum[8] = {0};
    for (int o = 0; o < columns; o++) sum[o] = total[o];
    for (int i = 0; i < height; i++) {
        const float *in = pixel_at(lines, i, margin) + column;
        for (int j = 0; j < width; j++, in += lines.channels)
            for (int o = 0; o < columns; o++) sum[o] += in[o];
    }
    for (int o = 0; o < columns; o++) total[o] = sum[o];
}

// d_b += the sums of d_y over a picture
static void d_b_picture(const Plan *plan, Matrix d_b, Lines d_y, int group)
{
    const int margin = phase_taps(plan->window.width, plan->window.stride, 0) - 1;
    const int height = plan->out.height, width = plan->out.width;
    float *total = d_b.data + group * plan->outputs;
    for (int o = 0; o < plan->outputs; o += 8) {
        const int columns = int_min(8, plan->outputs - o);
        if (columns == 8) {
            add_lines(total + o, d_y, height, width, margin, o, 8);
        } else {
            add_lines(total + o, d_y, height, width, margin, o, columns);
        }
    }
}

static size_t cut_size(const Cut *cut, int lines)
{
    return (size_t)lines * (size_t)cut->length * (size_t)cut->channels;
}

// One chunk of pictures; d_w and d_b receive their sums over it. place is for two cuts.
static void backward_chunk(const Backward *k, Matrix d_w, Matrix d_b, float *place, int first, int last)
{
    const Plan *plan = &k->plan;
    if (d_b.data) fill(d_b, 0.0f);
    for (int n = first; n < last; n++)
        for (int group = 0; group < plan->window.groups; group++) {
            const Cut cut = cut_of_d_y(plan, k->d_y, k->active, n, group);
            const Lines d_y = cut_lines(&cut, 0, plan->out.height, place);
            if (d_b.data) d_b_picture(plan, d_b, d_y, group);
            for (int line = 0; k->d_x.data && line < plan->grid.height; line++)
                d_x_line(k, d_y, n, group, line);
            if (!d_w.data) continue;
            const Cut x_cut = cut_of_x(plan, k->x, n, group);
            const Lines x = cut_lines(&x_cut, 0, plan->grid.height, place + cut_size(&cut, plan->out.height));
            d_w_picture(k, d_w, x, d_y, group, n > first);
        }
}

// The weights of all phases.
static void turn_weights(Arena *scratch, Backward *k)
{
    const Plan *plan = &k->plan;
    const Window window = plan->window;
    const int stride = window.stride, count = window.groups * stride * stride;
    k->fold =
        stride == 1 && window.groups == 1 ? best_fold(plan->grid.width, window.width, 1, plan->inputs) : 1;
    k->turned = arena_alloc(scratch, (size_t)count, sizeof *k->turned);
    for (int i = 0; i < count; i++) {
        const int group = i / stride / stride, phase_y = i / stride % stride, phase_x = i % stride;
        const int lines = int_max(0, phase_taps(window.height, stride, phase_y));
        const int taps = int_max(0, phase_taps(window.width, stride, phase_x));
        k->turned[i] = matrix_uninitialised(scratch, lines * (taps + k->fold - 1) * plan->outputs,
                                            k->fold * plan->inputs);
        turned_weights(k->turned[i], plan, k->w, group, phase_y, phase_x, k->fold);
    }
}

// d += the sums of the chunks, in their order, a few numbers of d at a time; they begin at a column of parts.
static void add_chunks(Matrix d, Matrix parts, int column)
{
    enum { BLOCK = 1024 };
    if (!d.data) return;
    const int count = d.rows * d.cols;
#pragma omp parallel for if (parallel_worth((size_t)count * (size_t)parts.rows))
    for (int first = 0; first < count; first += BLOCK)
        for (int part = 0; part < parts.rows; part++) {
            const float *restrict sum = matrix_row(parts, part) + column + first;
            float *restrict out = d.data + first;
            for (int i = 0; i < int_min(BLOCK, count - first); i++) out[i] += sum[i];
        }
}

// As conv2d_backward; d_y counts as 0 where active is given and not positive.
static void backward_all(Arena *scratch, Backward k, Matrix d_w, Matrix d_b)
{
    const Plan *plan = &k.plan;
    const int count = plan->grid.count, chunk = chunk_pictures(count);
    const int chunks = chunk ? (count + chunk - 1) / chunk : 0;
    if (chunks == 0) return;
    ArenaMark mark = arena_mark(scratch);
    if (k.d_x.data) turn_weights(scratch, &k);
    const int w_size = d_w.data ? k.w.rows * k.w.cols : 0, b_size = d_b.data ? d_b.cols : 0;
    Matrix parts = matrix_uninitialised(scratch, chunks, w_size + b_size);
    const Cut x_cut = cut_of_x(plan, k.x, 0, 0), cut = cut_of_d_y(plan, k.d_y, NULL, 0, 0);
    const size_t size = cut_size(&x_cut, plan->grid.height) + cut_size(&cut, plan->out.height);
    float *places = arena_alloc(scratch, size * (size_t)parallel_threads(), sizeof *places);
#pragma omp parallel for schedule(static) if (parallel_worth(matrix_size(k.d_y) * (size_t)k.w.rows / 4))
    for (int part = 0; part < chunks; part++) {
        float *sums = matrix_row(parts, part);
        backward_chunk(&k, (Matrix){k.w.rows, k.w.cols, d_w.data ? sums : NULL},
                       (Matrix){1, d_b.cols, d_b.data ? sums + w_size : NULL},
                       places + size * (size_t)parallel_number(), part * chunk,
                       int_min((part + 1) * chunk, count));
    }
    add_chunks(d_w, parts, 0);
    add_chunks(d_b, parts, w_size);
    arena_rewind(scratch, mark);
}

void conv2d_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w,
                     Grid grid, Window window)
{
    Backward k = {.plan = plan_of(grid, window, x.cols, d_y.cols),
                  .d_x = d_x,
                  .d_y = d_y,
                  .x = x,
                  .w = w,
                  .accumulate = true};
    backward_all(scratch, k, d_w, d_b);
}

// ---- Pooling ----------------------------------------------------------------------------------------------

// The larger of two numbers, the first of equals; a NaN stays. *from becomes row where it is b. Written as masks: of
// random numbers a processor guesses every second branch wrongly.
static inline float larger_of(float a, float b, int *from, int row)
{
    const int take = -(int)((a < b) | ((b != b) & (a == a)));
    union {
        float number;
        int bits;
    } most = {a}, other = {b};
    most.bits = (other.bits & take) | (most.bits & ~take);
    *from = (row & take) | (*from & ~take);
    return most.number;
}

// One pixel of a window joins those before it, or begins.
static void pool_pixel(float *restrict y, int *restrict chosen, const float *restrict x, int row,
                       int channels, bool begins)
{
    for (int c = 0; c < channels && begins; c++) y[c] = x[c], chosen[c] = row;
#pragma omp simd
    for (int c = 0; c < channels; c++) {
        int from = chosen[c];
        y[c] = larger_of(y[c], x[c], &from, row);
        chosen[c] = from;
    }
}

// All of a window of 2 × 2, in one pass
static void pool_four(float *restrict y, int *restrict chosen, const float *restrict x, int row, int width,
                      int channels)
{
    const float *a = x, *b = x + channels, *c = x + (size_t)width * (size_t)channels, *d = c + channels;
#pragma omp simd
    for (int i = 0; i < channels; i++) {
        int from = row;
        float most = larger_of(a[i], b[i], &from, row + 1);
        most = larger_of(most, c[i], &from, row + width);
        y[i] = larger_of(most, d[i], &from, row + width + 1);
        chosen[i] = from;
    }
}

// The gradient of all four pixels, overwritten
static void unpool_four(float *restrict d_x, const float *restrict d_y, const int *restrict chosen, int row,
                        int width, int channels)
{
    float *a = d_x, *b = d_x + channels, *c = d_x + (size_t)width * (size_t)channels, *d = c + channels;
#pragma omp simd
    for (int i = 0; i < channels; i++) {
        const int from = chosen[i] - row;
        const float d_most = d_y[i];
        a[i] = from == 0 ? d_most : 0.0f;
        b[i] = from == 1 ? d_most : 0.0f;
        c[i] = from == width ? d_most : 0.0f;
        d[i] = from == width + 1 ? d_most : 0.0f;
    }
}

static bool halves(Window window)
{
    return window.height == 2 && window.width == 2 && window.stride == 2 && window.padding == 0;
}

// One line of the output: line `line` of all pictures' lines
static void pool_line(Matrix y, int *chosen, Matrix x, Grid grid, Grid out, Window window, int line)
{
    const int n = line / out.height, i = line % out.height;
    const int top = i * window.stride - window.padding, first = n * grid.height * grid.width;
    for (int j = 0; j < out.width; j++) {
        const size_t p = (size_t)line * (size_t)out.width + (size_t)j;
        float *most = y.data + p * (size_t)y.cols;
        int *from = chosen + p * (size_t)y.cols;
        const int left = j * window.stride - window.padding;
        if (halves(window)) {
            const int row = first + top * grid.width + left;
            pool_four(most, from, matrix_row(x, row), row, grid.width, x.cols);
            continue;
        }
        bool begins = true;
        for (int dy = 0; dy < window.height; dy++)
            for (int dx = 0; dx < window.width; dx++) {
                const int pixel = pixel_under(grid, window, i, j, dy, dx);
                if (pixel < 0) continue;
                pool_pixel(most, from, matrix_row(x, first + pixel), first + pixel, x.cols, begins);
                begins = false;
            }
    }
}

void max_pool_forward(Matrix y, int *chosen, Matrix x, Grid grid, Window window)
{
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
    for (int line = 0; line < grid.count * out.height; line++)
        pool_line(y, chosen, x, grid, out, window, line);
}

void max_pool_backward(Matrix d_x, Matrix d_y, const int *chosen)
{
    if (!d_x.data) return;
    // y_pc = x[chosen_pc, c]
    const size_t channels = (size_t)d_y.cols;
    for (int p = 0; p < d_y.rows; p++) {
        const float *restrict d_out = matrix_row(d_y, p);
        const int *restrict from = chosen + (size_t)p * channels;
        for (size_t c = 0; c < channels; c++) d_x.data[(size_t)from[c] * channels + c] += d_out[c];
    }
}

// The mean of channel c over a window whose sum is no float; taps beyond the edge count as 0.
static float wide_mean(Matrix x, Grid grid, Window window, int n, int i, int j, int c)
{
    double total = 0.0;
    for (int dy = 0; dy < window.height; dy++)
        for (int dx = 0; dx < window.width; dx++) {
            const int pixel = pixel_under(grid, window, i, j, dy, dx);
            if (pixel >= 0) total += (double)AT(x, n * grid.height * grid.width + pixel, c);
        }
    return (float)(total / ((double)window.height * (double)window.width));
}

void average_pool_forward(Matrix y, Matrix x, Grid grid, Window window)
{
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const float share = 1.0f / (float)(window.height * window.width);
    const int channels = x.cols;
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
    for (int p = 0; p < y.rows; p++) {
        const int n = p / (out.height * out.width), i = p / out.width % out.height, j = p % out.width;
        float *restrict total = matrix_row(y, p);
        memset(total, 0, (size_t)channels * sizeof *total);
        for (int dy = 0; dy < window.height; dy++)
            for (int dx = 0; dx < window.width; dx++) {
                const int pixel = pixel_under(grid, window, i, j, dy, dx);
                if (pixel < 0) continue;
                const float *restrict in = matrix_row(x, n * grid.height * grid.width + pixel);
                for (int c = 0; c < channels; c++) total[c] += in[c];
            }
        for (int c = 0; c < channels; c++)
            total[c] = isfinite(total[c]) ? total[c] * share : wide_mean(x, grid, window, n, i, j, c);
    }
}

void average_pool_backward(Matrix d_x, Matrix d_y, Grid grid, Window window)
{
    if (!d_x.data) return;
    // y_p = Σ over the taps of x[pixel under it] / (k_h · k_w)
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const float share = 1.0f / (float)(window.height * window.width);
    const int windows = out.height * out.width, channels = d_x.cols;
#pragma omp parallel for if (parallel_worth(matrix_size(d_x)))
    for (int n = 0; n < grid.count; n++)
        for (int p = 0; p < windows; p++) {
            const float *restrict d_out = matrix_row(d_y, n * windows + p);
            for (int dy = 0; dy < window.height; dy++)
                for (int dx = 0; dx < window.width; dx++) {
                    const int pixel = pixel_under(grid, window, p / out.width, p % out.width, dy, dx);
                    if (pixel < 0) continue;
                    float *restrict d_in = matrix_row(d_x, n * grid.height * grid.width + pixel);
                    for (int c = 0; c < channels; c++) d_in[c] = __builtin_fmaf(share, d_out[c], d_in[c]);
                }
        }
}

void global_average_pool_forward(Matrix y, Matrix x, Grid grid)
{
    const int pixels = grid.height * grid.width;
    const float share = 1.0f / (float)pixels;
    const Window whole = usual((Window){.height = grid.height, .width = grid.width});
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
    for (int n = 0; n < grid.count; n++) {
        float *restrict total = matrix_row(y, n);
        memset(total, 0, (size_t)y.cols * sizeof *total);
        for (int p = 0; p < pixels; p++) {
            const float *restrict in = matrix_row(x, n * pixels + p);
            for (int c = 0; c < y.cols; c++) total[c] += in[c];
        }
        for (int c = 0; c < y.cols; c++)
            total[c] = isfinite(total[c]) ? total[c] * share : wide_mean(x, grid, whole, n, 0, 0, c);
    }
}

void global_average_pool_backward(Matrix d_x, Matrix d_y, Grid grid)
{
    if (!d_x.data) return;
    // y_n = Σ over the pixels of x / pixels
    const int pixels = grid.height * grid.width;
    const float share = 1.0f / (float)pixels;
#pragma omp parallel for if (parallel_worth(matrix_size(d_x)))
    for (int p = 0; p < d_x.rows; p++) {
        const float *restrict d_out = matrix_row(d_y, p / pixels);
        float *restrict d_in = matrix_row(d_x, p);
        for (int c = 0; c < d_x.cols; c++) d_in[c] = __builtin_fmaf(share, d_out[c], d_in[c]);
    }
}

// ---- Taped ------------------------------------------------------------------------------------------------

typedef struct {
    Grid grid;
    Window window;
    bool active; // through relu
} ConvContext;

// Every pixel of the grid is one row of x.
static void need_grid(Place place, const char *name, const Tensor *x, Grid grid)
{
    const bool counted = grid.count >= 0 && grid.height > 0 && grid.width > 0;
    check_at(place, counted && (double)grid.count * grid.height * grid.width == (double)x->value.rows,
             "rows are pixels: count · height · width of them, and columns are channels",
             "%s: x (%d × %d) on a grid of %d pictures of %d × %d pixels", name, x->value.rows, x->value.cols,
             grid.count, grid.height, grid.width);
}

static void need_conv(Place place, const char *name, const Tensor *x, const Tensor *w, const Tensor *b,
                      Window window)
{
    const int groups = window.groups, channels = x->value.cols, outputs = w->value.cols;
    check_at(place, groups > 0 && channels % groups == 0 && outputs % groups == 0,
             "the groups share the channels equally, in and out",
             "%s: %d groups for %d channels in and %d out", name, groups, channels, outputs);
    check_at(place, (double)window.height * window.width * (channels / groups) == (double)w->value.rows,
             "a weight has one row for each tap of the window and channel of the group",
             "%s: x (%d × %d) under a window of %d × %d pixels and %d groups meets a weight (%d × %d)", name,
             x->value.rows, channels, window.height, window.width, groups, w->value.rows, outputs);
    check_at(place, !b || (b->value.rows == 1 && b->value.cols == outputs),
             "a bias is (1 × outputs), or NULL", "%s: a weight (%d × %d) with a bias (%d × %d)", name,
             w->value.rows, outputs, b->value.rows, b->value.cols);
}

static void conv2d_step(Tensor *self)
{
    const ConvContext *context = self->context;
    Tensor *x = self->inputs[0], *w = self->inputs[1], *b = self->inputs[2];
    bool accumulate;
    Matrix d_x = tensor_gradient_raw(x, &accumulate);
    Backward k = {.plan = plan_of(context->grid, context->window, x->value.cols, self->value.cols),
                  .d_x = d_x,
                  .d_y = self->gradient,
                  .x = x->value,
                  .w = w->value,
                  .accumulate = accumulate,
                  .active = context->active ? self->value.data : NULL};
    backward_all(tape_arena(self->tape), k, tensor_gradient(w), tensor_gradient(b));
}

static Tensor *conv2d_node(Place place, const char *name, Tensor *x, Tensor *w, Tensor *b, Grid grid,
                           Window window, bool active)
{
    window = usual(window);
    need_grid(place, name, x, grid);
    const Grid out = window_grid(place, grid, window);
    need_conv(place, name, x, w, b, window);
    Tensor *y =
        tensor_node(place, name, grid_rows(out), w->value.cols, conv2d_step, sizeof(ConvContext), 3, x, w, b);
    *(ConvContext *)y->context = (ConvContext){grid, window, active};
    forward(tape_arena(y->tape), y->value, x->value, w->value, b ? b->value : (Matrix){0, 0, NULL}, grid,
            window, active);
    return y;
}

Tensor *conv2d_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window)
{
    return conv2d_node(place, "conv2d", x, w, b, grid, window, false);
}

Tensor *conv2d_relu_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window)
{
    return conv2d_node(place, "conv2d_relu", x, w, b, grid, window, true);
}

typedef struct {
    Grid grid;
    Window window;
    int *chosen; // for max_pool
} PoolContext;

// The node of a pooling layer, with nothing computed yet.
static Tensor *pool_node(Place place, const char *name, BackwardStep step, Tensor *x, Grid grid,
                         Window window)
{
    window = usual(window);
    need_grid(place, name, x, grid);
    check_at(place, window.groups == 1, "pooling treats every channel alone", "%s: a window with %d groups",
             name, window.groups);
    const Grid out = window_grid(place, grid, window);
    check_at(place, window.padding < window.height && window.padding < window.width,
             "padding must leave at least one pixel of the picture in every window",
             "%s: a window of %d × %d pixels with padding %d", name, window.height, window.width,
             window.padding);
    Tensor *y = tensor_node(place, name, grid_rows(out), x->value.cols, step, sizeof(PoolContext), 1, x);
    *(PoolContext *)y->context = (PoolContext){grid, window, NULL};
    return y;
}

// For windows of 2 × 2 that cover the whole picture: every number of d_x is written once, none is cleared first.
static void halves_backward(Matrix d_x, Matrix d_y, const int *chosen, Grid grid)
{
    const int width = grid.width / 2;
#pragma omp parallel for if (parallel_worth(matrix_size(d_x)))
    for (int line = 0; line < grid.count * grid.height / 2; line++)
        for (int j = 0; j < width; j++) {
            const int row = 2 * line * grid.width + 2 * j;
            const size_t place = ((size_t)line * (size_t)width + (size_t)j) * (size_t)d_y.cols;
            unpool_four(matrix_row(d_x, row), d_y.data + place, chosen + place, row, grid.width, d_y.cols);
        }
}

static void max_pool_step(Tensor *self)
{
    const PoolContext *context = self->context;
    const Grid grid = context->grid;
    Tensor *x = self->inputs[0];
    if (halves(context->window) && grid.height % 2 == 0 && grid.width % 2 == 0 && !x->has_gradient) {
        bool accumulate;
        Matrix d_x = tensor_gradient_raw(x, &accumulate);
        if (d_x.data) halves_backward(d_x, self->gradient, context->chosen, grid);
        return;
    }
    Matrix d_x = tensor_gradient(x), d_y = self->gradient;
    if (!d_x.data) return;
    // Pictures share no pixels.
    const int pixels = grid.count ? d_y.rows / grid.count : 0;
#pragma omp parallel for if (parallel_worth(matrix_size(d_y) * 2))
    for (int n = 0; n < grid.count; n++)
        max_pool_backward(d_x, matrix_rows(d_y, n * pixels, pixels),
                          context->chosen + (size_t)(n * pixels) * (size_t)d_y.cols);
}

Tensor *max_pool_at(Place place, Tensor *x, Grid grid, Window window)
{
    Tensor *y = pool_node(place, "max_pool", max_pool_step, x, grid, window);
    PoolContext *context = y->context;
    context->chosen = arena_alloc_at(place, tape_arena(y->tape), matrix_size(y->value), sizeof(int));
    max_pool_forward(y->value, context->chosen, x->value, grid, window);
    return y;
}

static void average_pool_step(Tensor *self)
{
    const PoolContext *context = self->context;
    average_pool_backward(tensor_gradient(self->inputs[0]), self->gradient, context->grid, context->window);
}

Tensor *average_pool_at(Place place, Tensor *x, Grid grid, Window window)
{
    Tensor *y = pool_node(place, "average_pool", average_pool_step, x, grid, window);
    average_pool_forward(y->value, x->value, grid, window);
    return y;
}

static void global_average_pool_step(Tensor *self)
{
    const Grid *grid = self->context;
    global_average_pool_backward(tensor_gradient(self->inputs[0]), self->gradient, *grid);
}

Tensor *global_average_pool_at(Place place, Tensor *x, Grid grid)
{
    need_grid(place, "global_average_pool", x, grid);
    Tensor *y = tensor_node(place, "global_average_pool", grid.count, x->value.cols, global_average_pool_step,
                            sizeof grid, 1, x);
    memcpy(y->context, &grid, sizeof grid);
    global_average_pool_forward(y->value, x->value, grid);
    return y;
}
