// pool.c: pooling. See pool.h.
#include "learning/ops/pool.h"
#include "base/parallel.h"

#include <math.h>
#include <string.h>

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
    window = window_usual(window);
    const Grid out = window_grid(HERE, grid, window);
    PARALLEL_FOR(parallel_worth(matrix_size(x)), line, grid.count * out.height,
                 pool_line(y, chosen, x, grid, out, window, line));
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
    window = window_usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const float share = 1.0f / (float)(window.height * window.width);
    const int channels = x.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(x)), p, y.rows, {
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
    });
}

void average_pool_backward(Matrix d_x, Matrix d_y, Grid grid, Window window)
{
    if (!d_x.data) return;
    // y_p = Σ over the taps of x[pixel under it] / (k_h · k_w)
    window = window_usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const float share = 1.0f / (float)(window.height * window.width);
    const int windows = out.height * out.width, channels = d_x.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(d_x)), n, grid.count, {
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
    });
}

void global_average_pool_forward(Matrix y, Matrix x, Grid grid)
{
    const int pixels = grid.height * grid.width;
    const float share = 1.0f / (float)pixels;
    const Window whole = window_usual((Window){.height = grid.height, .width = grid.width});
    PARALLEL_FOR(parallel_worth(matrix_size(x)), n, grid.count, {
        float *restrict total = matrix_row(y, n);
        memset(total, 0, (size_t)y.cols * sizeof *total);
        for (int p = 0; p < pixels; p++) {
            const float *restrict in = matrix_row(x, n * pixels + p);
            for (int c = 0; c < y.cols; c++) total[c] += in[c];
        }
        for (int c = 0; c < y.cols; c++)
            total[c] = isfinite(total[c]) ? total[c] * share : wide_mean(x, grid, whole, n, 0, 0, c);
    });
}

void global_average_pool_backward(Matrix d_x, Matrix d_y, Grid grid)
{
    if (!d_x.data) return;
    // y_n = Σ over the pixels of x / pixels
    const int pixels = grid.height * grid.width;
    const float share = 1.0f / (float)pixels;
    PARALLEL_FOR(parallel_worth(matrix_size(d_x)), p, d_x.rows, {
        const float *restrict d_out = matrix_row(d_y, p / pixels);
        float *restrict d_in = matrix_row(d_x, p);
        for (int c = 0; c < d_x.cols; c++) d_in[c] = __builtin_fmaf(share, d_out[c], d_in[c]);
    });
}

// ---- Taped ------------------------------------------------------------------------------------------------

typedef struct {
    Grid grid;
    Window window;
    int *chosen; // for max_pool
} PoolContext;

// The node of a pooling layer, with nothing computed yet.
static Tensor *pool_node(Place place, const char *name, BackwardStep step, Tensor *x, Grid grid,
                         Window window)
{
    window = window_usual(window);
    need_grid(place, name, x->value, grid);
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
    PARALLEL_FOR(parallel_worth(matrix_size(d_x)), line, grid.count * grid.height / 2, {
        for (int j = 0; j < width; j++) {
            const int row = 2 * line * grid.width + 2 * j;
            const size_t place = ((size_t)line * (size_t)width + (size_t)j) * (size_t)d_y.cols;
            unpool_four(matrix_row(d_x, row), d_y.data + place, chosen + place, row, grid.width, d_y.cols);
        }
    });
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
    PARALLEL_FOR(parallel_worth(matrix_size(d_y) * 2), n, grid.count,
                 max_pool_backward(d_x, matrix_rows(d_y, n * pixels, pixels),
                                   context->chosen + (size_t)(n * pixels) * (size_t)d_y.cols));
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
    need_grid(place, "global_average_pool", x->value, grid);
    Tensor *y = tensor_node(place, "global_average_pool", grid.count, x->value.cols, global_average_pool_step,
                            sizeof grid, 1, x);
    memcpy(y->context, &grid, sizeof grid);
    global_average_pool_forward(y->value, x->value, grid);
    return y;
}
