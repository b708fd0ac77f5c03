// op_conv.c: convolution and pooling. See op_conv.h.
#include "learning/op_conv.h"
#include "base/parallel.h"
#include "learning/columns.h"

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

enum { MOST_CHUNKS = 16 };

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

// What pictures first … last − 1 add to d_w of tap (dy, dx), channel c of its group, output o; and to d_b
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
    if (d_b.data) add_column_sums(d_b, d_y);
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

void conv2d_forward(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window)
{
    if (usual(window).groups > 1) {
        conv2d_naive_forward(y, x, w, b, grid, window);
        return;
    }
    ArenaMark mark = arena_mark(scratch);
    Matrix patches = matrix_uninitialised(scratch, y.rows, w.rows);
    grid_to_patches(patches, x, grid, window);
    fill(y, 0.0f);
    if (b.data) add_row(y, b);
    matmul_add(y, patches, w);
    arena_rewind(scratch, mark);
}

void conv2d_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w,
                     Grid grid, Window window)
{
    if (usual(window).groups > 1) {
        conv2d_naive_backward(d_x, d_w, d_b, d_y, x, w, grid, window);
        return;
    }
    ArenaMark mark = arena_mark(scratch);
    Matrix patches = matrix_uninitialised(scratch, d_y.rows, w.rows);
    // y = patches · w + b
    if (d_w.data) {
        grid_to_patches(patches, x, grid, window);
        matmul_tn_add(d_w, patches, d_y);
    }
    if (d_b.data) add_column_sums(d_b, d_y);
    if (d_x.data) {
        matmul_nt(patches, d_y, w);
        patches_to_grid(d_x, patches, grid, window);
    }
    arena_rewind(scratch, mark);
}

// ---- Pooling ----------------------------------------------------------------------------------------------

void max_pool_forward(Matrix y, int *chosen, Matrix x, Grid grid, Window window)
{
    window = usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const int channels = x.cols;
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
    for (int p = 0; p < y.rows; p++) {
        const int n = p / (out.height * out.width), i = p / out.width % out.height, j = p % out.width;
        float *restrict most = matrix_row(y, p);
        int *restrict from = chosen + (size_t)p * (size_t)channels;
        bool begun = false;
        for (int dy = 0; dy < window.height; dy++)
            for (int dx = 0; dx < window.width; dx++) {
                const int pixel = pixel_under(grid, window, i, j, dy, dx);
                if (pixel < 0) continue;
                const int row = n * grid.height * grid.width + pixel;
                const float *restrict in = matrix_row(x, row);
                for (int c = 0; c < channels; c++) {
                    // the first of equals; the first NaN stays
                    const bool larger = !begun || (!(in[c] <= most[c]) && most[c] == most[c]);
                    most[c] = larger ? in[c] : most[c];
                    from[c] = larger ? row : from[c];
                }
                begun = true;
            }
    }
}

void max_pool_backward(Matrix d_x, Matrix d_y, const int *chosen)
{
    if (!d_x.data) return;
    // y_pc = x[chosen_pc, c]
    for (int p = 0; p < d_y.rows; p++)
        for (int c = 0; c < d_y.cols; c++)
            AT(d_x, chosen[(size_t)p * (size_t)d_y.cols + (size_t)c], c) += AT(d_y, p, c);
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
        for (int c = 0; c < channels; c++) total[c] *= share;
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
#pragma omp parallel for if (parallel_worth(matrix_size(x)))
    for (int n = 0; n < grid.count; n++) {
        float *restrict total = matrix_row(y, n);
        memset(total, 0, (size_t)y.cols * sizeof *total);
        for (int p = 0; p < pixels; p++) {
            const float *restrict in = matrix_row(x, n * pixels + p);
            for (int c = 0; c < y.cols; c++) total[c] += in[c];
        }
        for (int c = 0; c < y.cols; c++) total[c] *= share;
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
    Arena *scratch = tape_arena(self->tape);
    ArenaMark mark = arena_mark(scratch);
    Matrix d_z = self->gradient;
    if (context->active) {
        d_z = matrix_uninitialised(scratch, self->value.rows, self->value.cols);
        size_t count = matrix_size(d_z);
#pragma omp parallel for simd if (parallel : parallel_worth(count))
        for (size_t i = 0; i < count; i++)
            d_z.data[i] = self->value.data[i] > 0.0f ? self->gradient.data[i] : 0.0f;
    }
    conv2d_backward(scratch, tensor_gradient(x), tensor_gradient(w), tensor_gradient(b), d_z, x->value,
                    w->value, context->grid, context->window);
    arena_rewind(scratch, mark);
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
    conv2d_forward(tape_arena(y->tape), y->value, x->value, w->value, b ? b->value : (Matrix){0, 0, NULL},
                   grid, window);
    if (active) {
        size_t count = matrix_size(y->value);
#pragma omp parallel for simd if (parallel : parallel_worth(count))
        for (size_t i = 0; i < count; i++)
            y->value.data[i] = y->value.data[i] < 0.0f ? 0.0f : y->value.data[i];
    }
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

static void max_pool_step(Tensor *self)
{
    const PoolContext *context = self->context;
    max_pool_backward(tensor_gradient(self->inputs[0]), self->gradient, context->chosen);
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
