// conv.c: convolution, its gradients, and how they are made fast. See conv.h for what is computed, grid.h for the shapes.
//
// Seven loops compute a convolution: picture, line, pixel, output channel, and for each of these sums the lines, the
// taps and the channels of the window. They fetch a weight and a pixel for each multiply-add, so they run at a few
// per cent of what the processor can do. A common remedy is to write all windows out, one a row (grid_to_patches), and
// to multiply by the weights: one large product, as fast as gemm.c. But each pixel is then written and read once for
// each tap, nine times for a window of 3 × 3, and memory is slower than arithmetic. Here the same product is made
// without the copy.
//
// Lines. Take one line of the output, W' pixels with O channels: a small product C (W' × O) = A (W' × k_h·k_w·C) · w. Row j
// of A is what the window shows at pixel j. In a line of the input the pixels lie side by side, channels and all, so what
// one line of the window shows is one piece of memory, k_w·C numbers long, and the next pixel's piece begins stride·C
// numbers later: it overlaps the one before.
//
//     x, line i:     p0 p1 p2 p3 p4 p5 …        each p is C numbers; a window 3 wide, stride 1
//     row 0 of A:   [p0 p1 p2]
//     row 1 of A:      [p1 p2 p3]               so A is x itself, read with a row step of stride·C,
//     row 2 of A:         [p2 p3 p4]            and k_h pieces a row, a line of x apart
//
// A product only needs to be told these steps; windows.c does it, with tiles as gemm.c has them. Lines of the window above
// or below the picture are left out of the sum. On the left and right there must be zeros: a picture that needs a
// margin (or of whose channels a group wants some) is cut out of x first, one picture at a time, into a workspace that
// stays in the cache.
//
// Phases. The gradient of a pixel of x is a sum over the windows that have seen it, and again a convolution: of d_y, with
// the weights flipped in both directions and input and output channels exchanged. With a stride s > 1 only some windows
// see a pixel: along a line, tap t of window j lies on pixel j·s + t − padding, so a pixel meets the taps t that leave the
// same remainder as its own place when divided by s, its phase. In each direction there are s of them, and pixels of one
// phase meet the same taps of neighbouring pixels of d_y.
//
//     stride 2, a window of 3, no padding:   pixel   0    1    2    3    4    5
//                                            taps    0    1   2,0   1   2,0   1     even pixels meet taps 0 and 2,
//                                            window  0    0   0,1   1   1,2   2     odd ones tap 1
//
// So d_x is s² ordinary convolutions with stride 1, each with the weights of its phase gathered once (flip_weights), and
// each writes every s-th pixel of every s-th line. No zeros are put between the pixels of d_y, as textbooks do it.
//
// d_w is a product over pixels instead: row (tap, channel) of A is the transpose of the same overlapping view, B is d_y
// and the sum runs along the lines. Its sums are long and shared by all pictures. They are cut into chunks of pictures
// whose number depends on the batch alone; threads take chunks, and the chunks are added in order, so that the bits do not
// depend on the number of threads.
//
// Folds. A vector has up to 16 lanes, and they run across output channels. The first layers have 8 channels, or 1: most
// lanes would compute nothing. Then `fold` neighbouring pixels of a line become one with fold · O channels. The folded
// window sees fold − 1 strides more, and the weights of each of the pixels stand in their own columns, shifted,
// between zeros:
//
//     O = 8, a window of 3, fold 2:   w0 w1 w2 .        pixel 2j
//                                     .  w0 w1 w2       pixel 2j + 1
//
// That costs multiplications by 0 (here 2 of 8), and fills the vector; best_fold weighs one against the other. A term
// 0 · x changes no sum, so the bits remain those of the plain loops, unless x is infinite or not a number.
//
// Memory is busy where a picture is cut, and idle during the products, which read what lies in the cache. So each line that is
// computed asks for a line of the next picture: of what will be read, and of what will be written.
//
// Threads take pictures, groups and bands of lines, and write what no other writes.
//
// With as many groups as channels all this has one lane to fill: such convolutions are passed on to depthwise.c.
#include "matrix/conv.h"
#include "base/parallel.h"
#include "matrix/depthwise.h"
#include "matrix/vectors.h"
#include "matrix/windows.h"

#include <limits.h>
#include <string.h>

typedef struct {
    Grid grid, out;
    Window window;
    int inputs, outputs; // channels of one group
} Plan;

int conv_chunk(int count)
{
    enum { MOST_CHUNKS = 8 };
    return (count + MOST_CHUNKS - 1) / MOST_CHUNKS;
}

static Plan plan_of(Grid grid, Window window, int inputs, int outputs)
{
    window = window_usual(window);
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

// ---- Lines ------------------------------------------------------------------------------------------------

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

// Asks for a line of the picture that follows, all channels.
static void ask_for_next(const float *pictures, int channels, Grid grid, int picture, int line, bool to_write)
{
    if (picture + 1 >= grid.count) return;
    const size_t length = (size_t)grid.width * (size_t)channels;
    const size_t first = ((size_t)(picture + 1) * (size_t)grid.height + (size_t)line) * length;
    for (size_t i = first; i < first + length; i += CACHE_LINE) {
        if (to_write) {
            ask_to_write(pictures, i);
        } else {
            ask_for(pictures, i);
        }
    }
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

// ---- The product ------------------------------------------------------------------------------------------

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

// Lines first … last − 1 of the output of a picture; workspace holds a cut.
static void forward_lines(const Forward *f, float *workspace, int picture, int group, int first, int last)
{
    const Plan *plan = &f->plan;
    const Window window = plan->window;
    const int above = int_max(0, first * window.stride - window.padding);
    const int below = int_min(plan->grid.height, (last - 1) * window.stride - window.padding + window.height);
    const Cut cut = cut_of_x(plan, f->x, picture, group);
    const Lines x = cut_lines(&cut, above, below, workspace);
    const int terms = (window.width + (f->fold - 1) * window.stride) * plan->inputs;
    const size_t b_term = (size_t)f->fold * (size_t)f->w.cols;
    for (int i = first; i < last; i++) {
        if (group == 0) ask_for_next(f->y.data, f->y.cols, plan->out, picture, i, true);
        for (int l = i * window.stride; group == 0 && l < int_min((i + 1) * window.stride, plan->grid.height);
             l++)
            ask_for_next(f->x.data, f->x.cols, plan->grid, picture, l, false);
        // The lines of the window that lie on the picture.
        const int top = i * window.stride - window.padding;
        const int dy = int_max(0, -top), end = int_min(window.height, plan->grid.height - top);
        window_product(&(WindowProduct){
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

void conv_product(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window, bool relu)
{
    window = window_usual(window);
    if (conv_is_depthwise(window, x.cols, y.cols)) {
        depthwise_product(y, x, w, b, grid, window, relu);
        return;
    }
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
    Matrix workspaces = matrix_uninitialised(scratch, threads, plan->grid.height * length * plan->inputs);
    // A band of lines of one picture and one group at a time; whole pictures when there are enough of them.
    const int wanted = (2 * threads + plan->grid.count * groups - 1) / int_max(1, plan->grid.count * groups);
    const int bands = plan->grid.count * groups >= 2 * threads ? 1 : int_min(height, wanted);
    const int parts = plan->grid.count * groups * bands;
    // A static schedule, here and below: each core finds in its own cache the pictures that it wrote in the layer before.
#pragma omp parallel for schedule(static) if (parallel_worth(matrix_size(y) * (size_t)w.rows / 8))
    for (int part = 0; part < parts; part++) {
        const int band = part % bands, group = part / bands % groups, picture = part / bands / groups;
        forward_lines(&f, matrix_row(workspaces, parallel_number()), picture, group, height * band / bands,
                      height * (band + 1) / bands);
    }
    arena_rewind(scratch, mark);
}

// ---- Gradients --------------------------------------------------------------------------------------------

// The weights that pixels of one phase meet in d_y, for one group: (lines · steps · O × fold · C). The first line of
// d_y that a pixel sees has met it through the last line of the window.
static void flipped_weights(Matrix flipped, const Plan *plan, Matrix w, int group, int phase_y, int phase_x,
                            int fold)
{
    const Window window = plan->window;
    const int lines = phase_taps(window.height, window.stride, phase_y);
    const int taps = phase_taps(window.width, window.stride, phase_x), seen = taps + fold - 1;
    const int inputs = plan->inputs, outputs = plan->outputs;
    fill(flipped, 0.0f);
    for (int i = 0; i < lines; i++)
        for (int j = 0; j < taps; j++) {
            const int dy = phase_y + window.stride * (lines - 1 - i),
                      dx = phase_x + window.stride * (taps - 1 - j);
            for (int f = 0; f < fold; f++)
                for (int o = 0; o < outputs; o++)
                    for (int c = 0; c < inputs; c++)
                        AT(flipped, ((i * seen) + j + f) * outputs + o, f * inputs + c) =
                            AT(w, (dy * window.width + dx) * inputs + c, group * outputs + o);
        }
}

// What the gradients of all pictures have in common.
typedef struct {
    Plan plan;
    ConvGradients g;
    Matrix *flipped; // for each group and phase: [(group · stride + phase_y) · stride + phase_x]
    int fold;        // of d_x
} Backward;

// What the gradients of the picture that follows will read and write, in as many parts as d_x has lines.
static void ask_for_next_gradients(const Backward *k, int picture, int line)
{
    const ConvGradients *g = &k->g;
    const Grid grid = k->plan.grid, out = k->plan.out;
    ask_for_next(g->d_x.data, g->x.cols, grid, picture, line, true);
    if (g->d_w.data) ask_for_next(g->x.data, g->x.cols, grid, picture, line, false);
    if (line >= out.height) return;
    ask_for_next(g->d_y.data, g->d_y.cols, out, picture, line, false);
    if (g->active) ask_for_next(g->active, g->d_y.cols, out, picture, line, false);
}

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
        const Matrix flipped = k->flipped[(group * phases + phase_y) * phases + phase_x];
        const size_t terms = (size_t)(taps + k->fold - 1) * (size_t)plan->outputs,
                     columns = (size_t)flipped.cols;
        window_product(&(WindowProduct){
            .rows = ((plan->grid.width - j + phases - 1) / phases) / k->fold,
            .columns = flipped.cols,
            .pieces = taps > 0 ? int_max(0, end - first) : 0,
            .terms = (int)terms,
            .a = pixel_at(d_y, first, left + margin),
            .a_row = (size_t)k->fold * (size_t)plan->outputs,
            .a_piece = (size_t)d_y.length * (size_t)plan->outputs,
            .a_term = 1,
            .b = flipped.data + (size_t)(first - top) * terms * columns,
            .b_piece = terms * columns,
            .b_term = columns,
            .c = &AT(k->g.d_x, (picture * plan->grid.height + line) * plan->grid.width + j,
                     group * plan->inputs),
            .c_row = (size_t)(k->fold * phases) * (size_t)k->g.d_x.cols,
            .accumulate = k->g.accumulate,
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
        window_product(&(WindowProduct){
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

// One chunk of pictures; d_w and d_b receive their sums over it. workspace holds two cuts.
static void backward_chunk(const Backward *k, Matrix d_w, Matrix d_b, float *workspace, int first, int last)
{
    const Plan *plan = &k->plan;
    if (d_b.data) fill(d_b, 0.0f);
    for (int n = first; n < last; n++)
        for (int group = 0; group < plan->window.groups; group++) {
            const Cut cut = cut_of_d_y(plan, k->g.d_y, k->g.active, n, group);
            const Lines d_y = cut_lines(&cut, 0, plan->out.height, workspace);
            if (d_b.data) d_b_picture(plan, d_b, d_y, group);
            for (int line = 0; k->g.d_x.data && line < plan->grid.height; line++) {
                if (group == 0) ask_for_next_gradients(k, n, line);
                d_x_line(k, d_y, n, group, line);
            }
            if (!d_w.data) continue;
            const Cut x_cut = cut_of_x(plan, k->g.x, n, group);
            const Lines x =
                cut_lines(&x_cut, 0, plan->grid.height, workspace + cut_size(&cut, plan->out.height));
            d_w_picture(k, d_w, x, d_y, group, n > first);
        }
}

// The weights of all phases.
static void flip_weights(Arena *scratch, Backward *k)
{
    const Plan *plan = &k->plan;
    const Window window = plan->window;
    const int stride = window.stride, count = window.groups * stride * stride;
    k->fold =
        stride == 1 && window.groups == 1 ? best_fold(plan->grid.width, window.width, 1, plan->inputs) : 1;
    k->flipped = arena_alloc(scratch, (size_t)count, sizeof *k->flipped);
    for (int i = 0; i < count; i++) {
        const int group = i / stride / stride, phase_y = i / stride % stride, phase_x = i % stride;
        const int lines = int_max(0, phase_taps(window.height, stride, phase_y));
        const int taps = int_max(0, phase_taps(window.width, stride, phase_x));
        k->flipped[i] = matrix_uninitialised(scratch, lines * (taps + k->fold - 1) * plan->outputs,
                                             k->fold * plan->inputs);
        flipped_weights(k->flipped[i], plan, k->g.w, group, phase_y, phase_x, k->fold);
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

void conv_gradients(Arena *scratch, ConvGradients g, Grid grid, Window window)
{
    window = window_usual(window);
    if (conv_is_depthwise(window, g.x.cols, g.d_y.cols)) {
        depthwise_gradients(scratch, g, grid, window);
        return;
    }
    Backward k = {.plan = plan_of(grid, window, g.x.cols, g.d_y.cols), .g = g};
    const Matrix d_w = g.d_w, d_b = g.d_b;
    const Plan *plan = &k.plan;
    const int count = plan->grid.count, chunk = conv_chunk(count);
    const int chunks = chunk ? (count + chunk - 1) / chunk : 0;
    if (chunks == 0) return;
    ArenaMark mark = arena_mark(scratch);
    if (k.g.d_x.data) flip_weights(scratch, &k);
    const int w_size = d_w.data ? k.g.w.rows * k.g.w.cols : 0, b_size = d_b.data ? d_b.cols : 0;
    Matrix parts = matrix_uninitialised(scratch, chunks, w_size + b_size);
    const Cut x_cut = cut_of_x(plan, k.g.x, 0, 0), cut = cut_of_d_y(plan, k.g.d_y, NULL, 0, 0);
    const size_t size = cut_size(&x_cut, plan->grid.height) + cut_size(&cut, plan->out.height);
    float *workspaces = arena_alloc(scratch, size * (size_t)parallel_threads(), sizeof *workspaces);
#pragma omp parallel for schedule(static) if (parallel_worth(matrix_size(k.g.d_y) * (size_t)k.g.w.rows / 4))
    for (int part = 0; part < chunks; part++) {
        float *sums = matrix_row(parts, part);
        backward_chunk(&k, (Matrix){k.g.w.rows, k.g.w.cols, d_w.data ? sums : NULL},
                       (Matrix){1, d_b.cols, d_b.data ? sums + w_size : NULL},
                       workspaces + size * (size_t)parallel_number(), part * chunk,
                       int_min((part + 1) * chunk, count));
    }
    add_chunks(d_w, parts, 0);
    add_chunks(d_b, parts, w_size);
    arena_rewind(scratch, mark);
}
