/*
# How the convolution is made fast

A convolution is a sum over a window, for each pixel and each channel. The loops that say so are seven deep, and they
run at a per cent or two of what a processor can do. In appendix A a product was made many times as fast as its loops.
Can a convolution be made a product? Yes, and in two ways: by writing out what all windows see, which costs memory, or
by noticing that memory shows it already.

This page goes from the seven loops to `common/matrix/conv.c`: patches, lines, folds; then the way back, by phases.
Every step gives the same bits as the loops before it. You need chapter 10, which has the convolution and its
gradients, and appendix A for the product.
*/

#include "base/parallel.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/conv.h"
#include "matrix/gemm.h"
#include "matrix/vectors.h"

#include <math.h>
#include <string.h>

/*
## The question

As everywhere in the course, a batch of images is one matrix: a row is a pixel, its columns are channels. The window
has `height` × `width` taps and moves by `stride`; outside of the image there are `padding` zeros. The weights are a
matrix too, with a row for each tap and input channel and a column for each output channel.
*/

typedef struct {
    Grid grid, out;
    Window window;
    int inputs, outputs;
} Conv;

static Conv conv_new(Grid grid, Window window, int inputs, int outputs)
{
    window = window_usual(window);
    return (Conv){grid, window_grid(HERE, grid, window), window, inputs, outputs};
}

static int taps_of(const Conv *v) { return v->window.height * v->window.width; }

/*
## Step 1: seven loops

Image, line, pixel, output channel; and for the sum, line and tap of the window, and input channel. The sum is one
chain of fused multiply-adds in this order, and we keep it to the end.
*/

static void seven_loops(Arena *arena, const Conv *v, Matrix y, Matrix x, Matrix w)
{
    (void)arena;
    for (int n = 0; n < v->grid.count; n++)
        for (int i = 0; i < v->out.height; i++)
            for (int j = 0; j < v->out.width; j++)
                for (int o = 0; o < v->outputs; o++) {
                    float sum = 0.0f;
                    for (int dy = 0; dy < v->window.height; dy++)
                        for (int dx = 0; dx < v->window.width; dx++) {
                            const int pixel = pixel_under(v->grid, v->window, i, j, dy, dx);
                            if (pixel < 0) continue;
                            const int row = n * v->grid.height * v->grid.width + pixel;
                            for (int c = 0; c < v->inputs; c++)
                                sum = fmaf(AT(x, row, c),
                                           AT(w, (dy * v->window.width + dx) * v->inputs + c, o), sum);
                        }
                    AT(y, (n * v->out.height + i) * v->out.width + j, o) = sum;
                }
}

/*
What is wrong with them is what is wrong with the first loops of appendix A: one sum at a time, so that each
multiply-add waits for the one before, and two numbers fetched for each.

## Step 2: patches

Write out what each window sees, one window a row, zeros for what lies outside. Then the convolution is one large
product, (pixels × taps · C) · (taps · C × O), and `gemm` does it. This is often called **im2col** (展开为矩阵).
*/

static void by_patches(Arena *arena, const Conv *v, Matrix y, Matrix x, Matrix w)
{
    Matrix patches = matrix_new(arena, y.rows, taps_of(v) * v->inputs);
    const int pixels = v->grid.height * v->grid.width;
    for (int row = 0; row < y.rows; row++)
        for (int dy = 0; dy < v->window.height; dy++)
            for (int dx = 0; dx < v->window.width; dx++) {
                const int n = row / (v->out.height * v->out.width), i = row / v->out.width % v->out.height;
                const int pixel = pixel_under(v->grid, v->window, i, row % v->out.width, dy, dx);
                if (pixel < 0) continue;
                memcpy(&AT(patches, row, (dy * v->window.width + dx) * v->inputs),
                       matrix_row(x, n * pixels + pixel), (size_t)v->inputs * sizeof(float));
            }
    gemm((GemmShape){.m = y.rows, .n = v->outputs, .k = patches.cols}, patches.data, patches.cols, w.data,
         w.cols, y.data, y.cols);
}

/*
The multiplications are fast now. But each pixel has been written nine times for a window of 3 × 3, and read nine
times. For 64 images of 28 × 28 pixels with 16 channels, 3 MB, the patches are 29 MB: they come from memory, and
memory is slower than arithmetic. The product of one patch with the weights uses each of its numbers only $O$ times,
once for each output channel; with few of them there is little to hide the fetching behind.

## Step 3: lines

Look at one line of the output, and at one line of the window. What the window shows at pixel $j$ are `width` pixels
that lie *side by side* in a line of the image, channels and all: one piece of memory, `width` · C numbers long. What
it shows at pixel $j + 1$ begins `stride` · C numbers later.

```
line of x:     p0 p1 p2 p3 p4 p5 …        each p is C numbers; a window 3 wide, stride 1
row 0 of A:   [p0 p1 p2]
row 1 of A:      [p1 p2 p3]               the rows overlap: a product does not mind
row 2 of A:         [p2 p3 p4]
```

These are rows of a matrix whose row step, `stride` · C, is smaller than its rows are long. `gemm` takes the step as
an argument and never asks whether rows overlap. So the patches need not be written: *they are there*. One product for
each line of the window, and from the second on they go on with the sums that are there. Only the zeros at the left
and right have to be made: each image is copied once, with its **margin** (边距), into a small place that stays in the
cache. Lines above and below are simply left out.
*/

// Image n with zeros on the left and right of each line
static Matrix with_margin(Arena *arena, const Conv *v, Matrix x, int n)
{
    const int height = v->grid.height, width = v->grid.width, padding = v->window.padding;
    Matrix lines = matrix_new(arena, height, (width + 2 * padding) * v->inputs);
    for (int i = 0; i < height; i++)
        memcpy(&AT(lines, i, padding * v->inputs), matrix_row(x, (n * height + i) * width),
               (size_t)(width * v->inputs) * sizeof(float));
    return lines;
}

static void by_lines(Arena *arena, const Conv *v, Matrix y, Matrix x, Matrix w)
{
    const int stride = v->window.stride, terms = v->window.width * v->inputs;
    for (int n = 0; n < v->grid.count; n++) {
        ArenaMark mark = arena_mark(arena);
        const Matrix lines = with_margin(arena, v, x, n);
        for (int i = 0; i < v->out.height; i++) {
            bool begun = false;
            for (int dy = 0; dy < v->window.height; dy++) {
                const int line = i * stride + dy - v->window.padding;
                if (line < 0 || line >= v->grid.height) continue;
                gemm((GemmShape){.m = v->out.width, .n = v->outputs, .k = terms, .accumulate = begun},
                     matrix_row(lines, line), stride * v->inputs, matrix_row(w, dy * terms), w.cols,
                     matrix_row(y, (n * v->out.height + i) * v->out.width), y.cols);
                begun = true;
            }
        }
        arena_rewind(arena, mark);
    }
}

/*
Count the bytes that are written and read again besides $x$, $w$ and $y$ themselves. For patches these are 8 bytes for
each tap and channel of each pixel of the output; for lines, 8 bytes for each pixel of the image with its margin.
*/

// For 1000 multiply-adds
static double extra_bytes(const Conv *v, bool patches)
{
    const double pixels = (double)v->out.height * v->out.width, terms = (double)taps_of(v) * v->inputs;
    const double copied = patches
                              ? pixels * terms
                              : (double)v->grid.height * (v->grid.width + 2 * v->window.padding) * v->inputs;
    return 1000.0 * 8.0 * copied / (pixels * terms * v->outputs);
}

static void draw_bytes(Lesson *lesson)
{
    enum { SIZES = 7 };
    float outputs[SIZES], patches[SIZES], lines[SIZES];
    for (int k = 0; k < SIZES; k++) {
        const Conv v = conv_new((Grid){1, 28, 28}, window_square(3, 1, 1), 16, 1 << k);
        outputs[k] = (float)(1 << k);
        patches[k] = (float)extra_bytes(&v, true), lines[k] = (float)extra_bytes(&v, false);
    }
    Plot *plot = plot_begin(lesson, "bytes.svg",
                            "Bytes that are copied and read again, 28 × 28 pixels, a window of 3 × 3");
    plot_axes(plot, "output channels", "bytes for 1000 multiply-adds");
    plot_log(plot, "xy");
    plot_line_points(plot, "patches", outputs, patches, SIZES);
    plot_line_points(plot, "lines", outputs, lines, SIZES);
    plot_end(plot, "Lines copy each pixel once, patches once for each tap.");
}

static void count_bytes(Lesson *lesson)
{
    section(lesson, "What is copied");
    const Window windows[] = {window_square(3, 1, 1), window_square(5, 1, 2), window_square(3, 2, 1)};
    bool fewer = true;
    printf("28 × 28 pixels, 16 channels to 16        bytes for 1000 multiply-adds\n");
    printf("                                            patches       lines\n");
    for (size_t k = 0; k < sizeof windows / sizeof *windows; k++) {
        const Conv v = conv_new((Grid){1, 28, 28}, windows[k], 16, 16);
        const double patches = extra_bytes(&v, true), lines = extra_bytes(&v, false);
        printf("window of %d × %d, stride %d       %18.0f%12.0f\n", v.window.height, v.window.width,
               v.window.stride, patches, lines);
        const int seen = taps_of(&v) / (v.window.stride * v.window.stride);
        fewer &= lines <= patches / (0.8 * seen);
    }
    printf("\n");
    claim(
        lesson, fewer,
        "lines copy a pixel once, patches once for each tap that meets it; the margin costs a fifth at most");
    draw_bytes(lesson);
}

/*
## Step 4: folds

The lanes of a vector run across output channels. What if there are only 8 of them, or one, as in the first layer of a
network for grey images, and a vector has 16 lanes? Most lanes would compute nothing.

Then `fold` neighbouring pixels of the output are taken for *one* pixel with `fold` · O channels. Its window is wider
by `fold` − 1 strides, and the weights of each pixel stand in their own columns, shifted, between zeros:

```
O = 8, a window of 3, fold 2:   w0 w1 w2 .        pixel 2j
                                .  w0 w1 w2       pixel 2j + 1
```

Since pixels lie side by side, the output of the folded convolution *is* the output: no number has to be moved. The
price are multiplications by 0, here 2 of 8, and what is won are lanes. A term $0 \cdot x$ changes no sum, so the bits
remain, unless $x$ is infinite.
*/

static Matrix fold_weights(Arena *arena, const Conv *v, Matrix w, int fold)
{
    const int width = v->window.width, inputs = v->inputs, seen = width + (fold - 1) * v->window.stride;
    Matrix folded = matrix_new(arena, v->window.height * seen * inputs, fold * v->outputs);
    for (int dy = 0; dy < v->window.height; dy++)
        for (int f = 0; f < fold; f++)
            for (int t = 0; t < width * inputs; t++)
                memcpy(&AT(folded, (dy * seen + f * v->window.stride) * inputs + t, f * v->outputs),
                       matrix_row(w, dy * width * inputs + t), (size_t)v->outputs * sizeof(float));
    return folded;
}

// The useful part of all lanes of all multiply-adds, with vectors of 16
static double useful(const Conv *v, int fold)
{
    enum { WIDEST = 16 };
    const int lanes = (fold * v->outputs + WIDEST - 1) / WIDEST * WIDEST;
    const int seen = v->window.width + (fold - 1) * v->window.stride;
    return (double)(fold * v->outputs) / lanes * v->window.width / seen;
}

static int best_fold(const Conv *v)
{
    int best = 1;
    for (int fold = 2; fold * v->outputs <= 32 && fold <= v->out.width; fold++)
        if (v->out.width % fold == 0 && useful(v, fold) > useful(v, best)) best = fold;
    return best;
}

/*
A convolution folded is a convolution: step 3 does it, told of fewer and wider pixels. The stride grows in the
direction of the line alone, which our `Window` cannot say, so here are its loops once more.
*/

static void by_folded_lines(Arena *arena, const Conv *v, Matrix y, Matrix x, Matrix w)
{
    const int fold = best_fold(v), stride = v->window.stride, columns = fold * v->outputs;
    const int terms = (v->window.width + (fold - 1) * stride) * v->inputs;
    ArenaMark mark = arena_mark(arena);
    const Matrix folded = fold_weights(arena, v, w, fold);
    for (int n = 0; n < v->grid.count; n++) {
        ArenaMark image = arena_mark(arena);
        const Matrix lines = with_margin(arena, v, x, n);
        for (int i = 0; i < v->out.height; i++) {
            bool begun = false;
            for (int dy = 0; dy < v->window.height; dy++) {
                const int line = i * stride + dy - v->window.padding;
                if (line < 0 || line >= v->grid.height) continue;
                gemm((GemmShape){.m = v->out.width / fold, .n = columns, .k = terms, .accumulate = begun},
                     matrix_row(lines, line), fold * stride * v->inputs, matrix_row(folded, dy * terms),
                     columns, matrix_row(y, (n * v->out.height + i) * v->out.width), columns);
                begun = true;
            }
        }
        arena_rewind(arena, image);
    }
    arena_rewind(arena, mark);
}

static void draw_lanes(Lesson *lesson)
{
    enum { MOST = 32 };
    float outputs[MOST], plain[MOST], folded[MOST];
    for (int o = 1; o <= MOST; o++) {
        const Conv v = conv_new((Grid){1, 28, 28}, window_square(3, 1, 1), 1, o);
        outputs[o - 1] = (float)o;
        plain[o - 1] = 100.0f * (float)useful(&v, 1),
                  folded[o - 1] = 100.0f * (float)useful(&v, best_fold(&v));
    }
    Plot *plot =
        plot_begin(lesson, "lanes.svg", "Lanes that compute something, lines of 28 pixels, a window 3 wide");
    plot_axes(plot, "output channels", "% of 16 lanes");
    plot_range_y(plot, 0.0, 105.0);
    plot_line_points(plot, "as they are", outputs, plain, MOST);
    plot_line_points(plot, "folded", outputs, folded, MOST);
    plot_end(plot, "Few channels leave lanes empty. Folding fills them, and pays with multiplications by 0.");
}

static void count_lanes(Lesson *lesson)
{
    section(lesson, "What lanes do");
    static const int outputs[] = {1, 4, 6, 8, 16, 24};
    printf("output channels   useful, %%   fold   useful, %%\n");
    bool more = true, whole = false;
    for (size_t k = 0; k < sizeof outputs / sizeof *outputs; k++) {
        const Conv v = conv_new((Grid){1, 28, 28}, window_square(3, 1, 1), 1, outputs[k]);
        const int fold = best_fold(&v);
        printf("%15d%12.1f%7d%12.1f\n", outputs[k], 100.0 * useful(&v, 1), fold, 100.0 * useful(&v, fold));
        if (outputs[k] <= 8) more &= useful(&v, fold) >= 1.4 * useful(&v, 1);
        if (outputs[k] == 16) whole = fold == 1;
    }
    printf("\n");
    claim(lesson, more, "up to 8 channels, a fold makes 1.4 times as many lanes useful, or more");
    claim(lesson, whole, "16 channels fill a vector: nothing is folded");
    draw_lanes(lesson);
}

/*
## The way back: phases

The gradient of a pixel of $x$ is a sum over all windows that have seen it. In one order of the loops each window
*adds* to the pixels it saw; in the other, each pixel *gathers* from the windows that saw it. The second is a sum in
one chain, and again a convolution: of $dy$, with the weights flipped in both directions.
*/

static void gather(const Conv *v, Matrix d_x, Matrix d_y, Matrix w, long *multiply_adds)
{
    const int stride = v->window.stride, padding = v->window.padding;
    for (int row = 0; row < d_x.rows; row++)
        for (int c = 0; c < v->inputs; c++) {
            const int n = row / (v->grid.height * v->grid.width), line = row / v->grid.width % v->grid.height;
            float sum = 0.0f;
            for (int i = 0; i < v->out.height; i++)
                for (int j = 0; j < v->out.width; j++) {
                    const int dy = line + padding - i * stride,
                              dx = row % v->grid.width + padding - j * stride;
                    if (dy < 0 || dy >= v->window.height || dx < 0 || dx >= v->window.width) continue;
                    for (int o = 0; o < v->outputs; o++)
                        sum = fmaf(AT(d_y, (n * v->out.height + i) * v->out.width + j, o),
                                   AT(w, (dy * v->window.width + dx) * v->inputs + c, o), sum);
                    *multiply_adds += v->outputs;
                }
            AT(d_x, row, c) = sum;
        }
}

/*
With stride 1 all pixels see windows at all taps. With stride 2 they do not: along a line, tap $t$ of window $j$ lies
on pixel $2j + t - p$, so a pixel meets the taps that leave the same remainder as its own place when divided by 2.
This remainder is its **phase** (相位).

```
stride 2, a window of 3, no padding:   pixel   0    1    2    3    4    5
                                       taps    0    1   2,0   1   2,0   1     even pixels meet taps 0 and 2,
                                       window  0    0   0,1   1   1,2   2     odd ones tap 1
```

Textbooks put zeros between the pixels of $dy$ and convolve with stride 1: three of four multiplications are by zero.
But pixels of one phase all meet the same taps, of *neighbouring* pixels of $dy$. So there are four convolutions with
stride 1, each with its own few weights, and each writes every second pixel of every second line: with `gemm`, a step
between rows of $C$ that is twice as wide.
*/

// How many taps of a window of this side meet a pixel of this phase
static int taps_in_phase(int side, int stride, int phase) { return (side - phase + stride - 1) / stride; }

// The weights that pixels of one phase meet, flipped: (lines · taps · O × C)
static Matrix weights_of_phase(Arena *arena, const Conv *v, Matrix w, int phase_y, int phase_x)
{
    const int stride = v->window.stride, outputs = v->outputs;
    const int lines = taps_in_phase(v->window.height, stride, phase_y),
              taps = taps_in_phase(v->window.width, stride, phase_x);
    Matrix flipped = matrix_new(arena, lines * taps * outputs, v->inputs);
    for (int row = 0; row < flipped.rows; row++)
        for (int c = 0; c < v->inputs; c++) {
            const int line = row / (taps * outputs), tap = row / outputs % taps;
            const int dy = phase_y + stride * (lines - 1 - line), dx = phase_x + stride * (taps - 1 - tap);
            AT(flipped, row, c) = AT(w, (dy * v->window.width + dx) * v->inputs + c, row % outputs);
        }
    return flipped;
}

// Image n of d_y, with zeros on both sides of each line: as many on the left as taps reach back
static Matrix d_y_with_margin(Arena *arena, const Conv *v, Matrix d_y, int n)
{
    const int margin = taps_in_phase(v->window.width, v->window.stride, 0) - 1;
    const int seen = (v->grid.width - 1 + v->window.padding) / v->window.stride + 1;
    Matrix lines = matrix_new(arena, v->out.height, (margin + int_max(v->out.width, seen)) * v->outputs);
    for (int i = 0; i < v->out.height; i++)
        memcpy(&AT(lines, i, margin * v->outputs), matrix_row(d_y, (n * v->out.height + i) * v->out.width),
               (size_t)(v->out.width * v->outputs) * sizeof(float));
    return lines;
}

static void by_phases(Arena *arena, const Conv *v, Matrix d_x, Matrix d_y, Matrix w)
{
    const int stride = v->window.stride, padding = v->window.padding, width = v->grid.width;
    const int margin = taps_in_phase(v->window.width, stride, 0) - 1;
    ArenaMark mark = arena_mark(arena);
    Matrix *weights = arena_alloc(arena, (size_t)(stride * stride), sizeof *weights);
    for (int k = 0; k < stride * stride; k++)
        weights[k] = weights_of_phase(arena, v, w, k / stride, k % stride);
    for (int n = 0; n < v->grid.count; n++) {
        ArenaMark image = arena_mark(arena);
        const Matrix lines = d_y_with_margin(arena, v, d_y, n);
        for (int line = 0; line < v->grid.height; line++)
            for (int phase_x = 0; phase_x < stride; phase_x++) {
                const int phase_y = (line + padding) % stride, last = (line + padding) / stride;
                const int top = last - taps_in_phase(v->window.height, stride, phase_y) + 1;
                const int taps = taps_in_phase(v->window.width, stride, phase_x);
                const int first = (phase_x + stride - padding % stride) % stride; // pixel of this phase
                const int left = (first + padding) / stride - taps + 1; // pixel of d_y that it meets first
                bool begun = false;
                for (int i = int_max(0, top); i < int_min(v->out.height, last + 1); i++, begun = true)
                    gemm((GemmShape){.m = (width - first + stride - 1) / stride,
                                     .n = v->inputs,
                                     .k = taps * v->outputs,
                                     .accumulate = begun},
                         &AT(lines, i, (left + margin) * v->outputs), v->outputs,
                         matrix_row(weights[phase_y * stride + phase_x], (i - top) * taps * v->outputs),
                         v->inputs, matrix_row(d_x, (n * v->grid.height + line) * width + first),
                         stride * v->inputs);
            }
        arena_rewind(arena, image);
    }
    arena_rewind(arena, mark);
}

/*
The gradient of the weights is a product over *pixels*: for each line of the window, (taps · C × pixels) · (pixels ×
O). Its first factor is the transpose of the same overlapping view, which `gemm` reads as it lies. Sums over a whole
batch are long; the library cuts them by images and adds up the parts in order, so that threads may take images, and
the bits do not depend on how many threads there are.
*/

static void weights_from_lines(Arena *arena, const Conv *v, Matrix d_w, Matrix d_y, Matrix x)
{
    const int stride = v->window.stride, terms = v->window.width * v->inputs;
    for (int n = 0; n < v->grid.count; n++) {
        ArenaMark mark = arena_mark(arena);
        const Matrix lines = with_margin(arena, v, x, n), part = matrix_new(arena, d_w.rows, d_w.cols);
        for (int i = 0; i < v->out.height; i++)
            for (int dy = 0; dy < v->window.height; dy++) {
                const int line = i * stride + dy - v->window.padding;
                if (line < 0 || line >= v->grid.height) continue;
                gemm((GemmShape){.m = terms,
                                 .n = v->outputs,
                                 .k = v->out.width,
                                 .transpose_a = true,
                                 .accumulate = true},
                     matrix_row(lines, line), stride * v->inputs,
                     matrix_row(d_y, (n * v->out.height + i) * v->out.width), d_y.cols,
                     matrix_row(part, dy * terms), d_w.cols);
            }
        add(d_w, d_w, part);
        arena_rewind(arena, mark);
    }
}

static void count_phases(Lesson *lesson)
{
    section(lesson, "What phases save");
    Arena *arena = lesson_arena(lesson);
    printf("d_x, 8 × 8 pixels, 4 channels   gathered   with zeros between\n");
    bool saved = true;
    for (int stride = 1; stride <= 3; stride++) {
        const Conv v = conv_new((Grid){1, 8, 8}, window_square(3, stride, 1), 4, 4);
        long gathered = 0;
        gather(&v, matrix_new(arena, 64, 4), matrix_new(arena, grid_rows(v.out), 4),
               matrix_new(arena, 9 * 4, 4), &gathered);
        const long all = 64L * 4 * taps_of(&v) * 4;
        printf("stride %d%32ld%21ld\n", stride, gathered, all);
        saved &= gathered * stride * stride <= all;
    }
    printf("\n");
    claim(lesson, saved,
          "stride s: gathering takes one multiply-add of s², the others are by zeros between the pixels");
}

/*
## The same bits

Now the promise, for windows with and without stride and padding and for few channels and many: the steps and the
library's `conv_product` give the bits of the seven loops, and phases, lines and `conv_gradients` those of plain sums.
*/

typedef struct {
    Conv v;
    Matrix x, w, y, d_y, d_x, d_w;
} Case;

static Case random_case(Arena *arena, Rng *rng, Conv v)
{
    Case k = {.v = v};
    k.x = matrix_new(arena, grid_rows(v.grid), v.inputs);
    k.w = matrix_new(arena, taps_of(&v) * v.inputs, v.outputs);
    k.y = matrix_new(arena, grid_rows(v.out), v.outputs);
    k.d_y = matrix_new(arena, grid_rows(v.out), v.outputs);
    k.d_x = matrix_new(arena, k.x.rows, k.x.cols);
    k.d_w = matrix_new(arena, k.w.rows, k.w.cols);
    fill_normal(k.x, rng, 0.0f, 1.0f);
    fill_normal(k.w, rng, 0.0f, 1.0f);
    fill_normal(k.d_y, rng, 0.0f, 1.0f);
    return k;
}

static void library(Arena *arena, const Conv *v, Matrix y, Matrix x, Matrix w)
{
    conv_product(arena, y, x, w, (Matrix){0}, v->grid, v->window, false);
}

static const struct {
    const char *name;
    void (*run)(Arena *arena, const Conv *v, Matrix y, Matrix x, Matrix w);
} steps[] = {{"1 seven loops", seven_loops},
             {"2 patches", by_patches},
             {"3 lines", by_lines},
             {"4 folded lines", by_folded_lines},
             {"the library", library}};
enum { STEPS = 5 };

static bool same(Matrix a, Matrix b) { return memcmp(a.data, b.data, matrix_size(a) * sizeof *a.data) == 0; }

// d_w as plain sums, image by image
static void plain_weights(Arena *arena, const Conv *v, Matrix d_w, Matrix d_y, Matrix x)
{
    const int pixels = v->grid.height * v->grid.width;
    (void)arena;
    for (int row = 0; row < d_w.rows; row++)
        for (int o = 0; o < v->outputs; o++)
            for (int n = 0; n < v->grid.count; n++) {
                float sum = 0.0f;
                for (int i = 0; i < v->out.height; i++)
                    for (int j = 0; j < v->out.width; j++) {
                        const int tap = row / v->inputs;
                        const int pixel = pixel_under(v->grid, v->window, i, j, tap / v->window.width,
                                                      tap % v->window.width);
                        if (pixel < 0) continue;
                        sum = fmaf(AT(x, n * pixels + pixel, row % v->inputs),
                                   AT(d_y, (n * v->out.height + i) * v->out.width + j, o), sum);
                    }
                AT(d_w, row, o) += sum;
            }
}

static void compare_bits(Lesson *lesson)
{
    section(lesson, "The same bits");
    const Conv convs[] = {conv_new((Grid){3, 12, 12}, window_square(3, 1, 1), 5, 16),
                          conv_new((Grid){3, 12, 12}, window_square(3, 1, 1), 1, 8),
                          conv_new((Grid){2, 8, 16}, window_square(3, 2, 1), 2, 4),
                          conv_new((Grid){2, 11, 9}, window_square(5, 2, 2), 3, 6),
                          conv_new((Grid){4, 8, 12}, window_square(2, 2, 0), 7, 33),
                          conv_new((Grid){2, 10, 10}, window_square(3, 3, 1), 4, 4)};
    bool forward = true, back = true, weights = true, libraries = true;
    Rng rng = lesson_rng(lesson, 1);
    printf("  pixels   channels   window   stride   fold\n");
    for (size_t s = 0; s < sizeof convs / sizeof *convs; s++) {
        Arena *arena = arena_new();
        const Case k = random_case(arena, &rng, convs[s]);
        printf("%2d × %2d     %d to %-4d %d × %d %8d %6d\n", k.v.grid.height, k.v.grid.width, k.v.inputs,
               k.v.outputs, k.v.window.height, k.v.window.width, k.v.window.stride, best_fold(&k.v));
        Matrix y = matrix_new(arena, k.y.rows, k.y.cols);
        seven_loops(arena, &k.v, k.y, k.x, k.w);
        for (int t = 1; t < STEPS; t++) {
            steps[t].run(arena, &k.v, y, k.x, k.w);
            forward &= same(y, k.y);
        }
        long count = 0;
        Matrix d_x = matrix_new(arena, k.d_x.rows, k.d_x.cols),
               d_w = matrix_new(arena, k.d_w.rows, k.d_w.cols);
        gather(&k.v, k.d_x, k.d_y, k.w, &count);
        by_phases(arena, &k.v, d_x, k.d_y, k.w);
        back &= same(d_x, k.d_x);
        plain_weights(arena, &k.v, k.d_w, k.d_y, k.x);
        weights_from_lines(arena, &k.v, d_w, k.d_y, k.x);
        weights &= same(d_w, k.d_w);
        fill(d_w, 0.0f);
        conv_gradients(arena, (ConvGradients){.d_x = d_x, .d_w = d_w, .d_y = k.d_y, .x = k.x, .w = k.w},
                       k.v.grid, k.v.window);
        libraries &= same(d_x, k.d_x) && same(d_w, k.d_w);
        arena_free(arena);
    }
    printf("\n");
    claim(lesson, forward, "patches, lines, folds and the library: the bits of the seven loops");
    claim(lesson, back, "by phases: the bits of what each pixel gathers");
    claim(lesson, weights, "the weights' gradient from overlapping lines: the bits of plain sums");
    claim(lesson, libraries, "and the library's gradients are the same");
}

/*
## The clock

One thread, the fastest of three runs in turn, as in appendix A; the rates go to standard error, and `make bench
NAME=fast_convolution` has more. Two layers: 16 channels to 16, and a first layer, 1 channel to 8, where the fold is
at work.
*/

static double flops_of(const Conv *v)
{
    return 2.0 * grid_rows(v->out) * taps_of(v) * v->inputs * v->outputs;
}

static Conv layer(int which)
{
    const Grid grid = {16, 28, 28};
    return which == 0 ? conv_new(grid, window_square(3, 1, 1), 16, 16)
                      : conv_new(grid, window_square(3, 1, 1), 1, 8);
}

static void time_steps(Lesson *lesson)
{
    section(lesson, "The clock");
    enum { ROUNDS = 3, LAYERS = 2 };
#ifdef __aarch64__
    const bool wide = true;
#else
    const bool wide = VECTOR_LANES > 4; // else a fused multiply-add is a function of the C library
#endif
    const int threads = parallel_threads();
    parallel_set_threads(1);
    Rng rng = lesson_rng(lesson, 2);
    double rate[LAYERS][STEPS] = {{0}};
    for (int l = 0; l < LAYERS; l++) {
        Arena *arena = arena_new();
        const Case k = random_case(arena, &rng, layer(l));
        for (int r = 0; r < ROUNDS; r++)
            for (int s = 0; s < STEPS; s++) {
                ArenaMark mark = arena_mark(arena);
                const double start = seconds_now();
                steps[s].run(arena, &k.v, k.y, k.x, k.w);
                rate[l][s] = fmax(rate[l][s], flops_of(&k.v) / (seconds_now() - start));
                arena_rewind(arena, mark);
            }
        arena_free(arena);
    }
    parallel_set_threads(threads);
    lesson_wipe_progress(lesson);
    fprintf(stderr, "                  16 channels to 16   1 to 8\n");
    for (int s = 0; s < STEPS; s++)
        fprintf(stderr, "%-16s %10.2f GF/s %8.2f GF/s\n", steps[s].name, 1e-9 * rate[0][s],
                1e-9 * rate[1][s]);
    claim(lesson, !wide || rate[0][2] >= 4.0 * rate[0][0],
          "16 channels to 16: lines are at least 4 times as fast as the seven loops");
}

/*
What the lines win over the patches is memory: the numbers that a product reads are few and near. The fold makes the
difference in the first layer.

## From here to `conv.c`

| here | in `conv.c` and `windows.c` | and what it adds |
|---|---|---|
| `with_margin` | `cut_lines` | nothing is copied when there is no margin; channels of one group are cut out; a mask of ReLU is applied on the way |
| `by_lines` | `forward_lines`, `window_product` | one product for all lines of the window: the sums stay in registers from line to line; bias and ReLU on the way out |
| `fold_weights`, `best_fold` | `folded_weights`, `best_fold` | also counts how many sums are left: few long lines are better than many short ones |
| `by_phases` | `d_x_line`, `flipped_weights` | the fold, where the stride is 1 |
| `weights_from_lines` | `d_w_picture`, `backward_chunk`, `add_chunks` | threads take chunks of images, whose number depends on the batch alone |
| | `depthwise.c` | as many groups as channels: each channel has its own window, and lanes run across channels |

`windows.c` has the tile of appendix A with one more loop: over the pieces of memory of which a row of $A$ is made,
one for each line of the window. A product by `gemm` for each line stores its sums and loads them again.

## What to take along

- A convolution is a product. Its left matrix need not be written out: overlapping rows are a matter of steps.
- Count bytes: what is copied once for each tap is read once for each tap.
- Few channels leave lanes empty; taking neighbours together fills them, at the price of some multiplications by zero.
- A gradient with stride $s$ is $s^2$ small convolutions without stride. No zeros are needed.

## Check yourself

**1.** Why may rows of $A$ overlap in a product, and rows of $C$ not?

<details><summary>Answer</summary>

$A$ is only read. Two rows that share numbers read the same memory, and nobody is disturbed. $C$ is written: where
rows overlap, one sum would overwrite another.

</details>

**2.** A window of 1 × 1 with stride 1: what are patches, lines and margin there?

<details><summary>Answer</summary>

The patches are the image itself, row for row, and there is no margin. The convolution is one product of $x$ and $w$;
all pixels together are one long line.

</details>

**3.** Eight channels, a window 3 wide, vectors of 16 lanes. Why is fold 2 better than fold 4?

<details><summary>Answer</summary>

Both fill all lanes. But the folded window sees 4 pixels with fold 2 and 6 with fold 4, of which each output uses 3: a
quarter of the multiplications are by zero, or a half.

</details>

**4.** With stride 2 and a window of 3 × 3, how many taps does a pixel meet, and how many on average?

<details><summary>Answer</summary>

Along each direction 2 or 1, by its phase: 4, 2, 2 or 1. The mean is 9/4, a quarter of the nine.

</details>

**5.** Why are the sums of $dw$ cut by images, and not by the number of threads?

<details><summary>Answer</summary>

A sum in parts is rounded otherwise than a sum in one chain. Parts that depend on the threads would give other bits on
other machines; parts that depend on the batch give the same everywhere.

</details>

## Sources

- Kumar Chellapilla, Sidd Puri and Patrice Simard, "High Performance Convolutional Neural Networks for Document
  Processing", 2006: the convolution as one product of patches.
- Vincent Dumoulin and Francesco Visin, "A guide to convolution arithmetic for deep learning", 2016: strides, padding,
  and zeros between pixels.

## The page, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "B-fast-convolution", "How the convolution is made fast");
    count_bytes(lesson);
    count_lanes(lesson);
    count_phases(lesson);
    compare_bits(lesson);
    time_steps(lesson);
    return lesson_end(lesson);
}
