// conv.c: convolution, plainly and by the fast kernel of matrix/conv.c. See conv.h.
#include "learning/ops/conv.h"
#include "base/parallel.h"
#include "matrix/conv.h"

#include <string.h>

// ---- Convolution, plainly ---------------------------------------------------------------------------------
// The gradient of a weight is a long sum. It is cut into chunks of pictures whose number depends on the batch
// alone (conv_chunk); each is summed in the order of the pixels, and the chunks are added in order.

void conv2d_naive_forward(Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window)
{
    window = window_usual(window);
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
    window = window_usual(window);
    const Grid out = window_grid(HERE, grid, window);
    for (int n = 0; d_x.data && n < grid.count; n++)
        for (int i = 0; i < out.height; i++)
            for (int j = 0; j < out.width; j++) naive_pixel_backward(d_x, d_y, w, grid, window, n, i, j);

    const int channels = x.cols / window.groups, chunk = conv_chunk(grid.count);
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
    window = window_usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const size_t channels = (size_t)x.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(patches)), p, patches.rows, {
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
    });
}

void patches_to_grid(Matrix d_x, Matrix d_patches, Grid grid, Window window)
{
    // patch p, tap t = pixel under it: a pixel receives from every window that has seen it, in their order
    window = window_usual(window);
    const Grid out = window_grid(HERE, grid, window);
    const int windows = out.height * out.width, channels = d_x.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(d_patches)), n, grid.count, {
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
    });
}

// ---- Convolution ------------------------------------------------------------------------------------------

void conv2d_forward(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window)
{
    conv_product(scratch, y, x, w, b, grid, window, false);
}

void conv2d_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w,
                     Grid grid, Window window)
{
    // y_po = b_o + Σ x[pixel under tap, c] · w[tap, c, o]
    ConvGradients gradients = {
        .d_x = d_x, .d_w = d_w, .d_b = d_b, .d_y = d_y, .x = x, .w = w, .accumulate = true};
    conv_gradients(scratch, gradients, grid, window);
}

// ---- Taped ------------------------------------------------------------------------------------------------

typedef struct {
    Grid grid;
    Window window;
    bool active; // through relu
} ConvContext;

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
    conv_gradients(tape_arena(self->tape),
                   (ConvGradients){.d_x = d_x,
                                   .d_w = tensor_gradient(w),
                                   .d_b = tensor_gradient(b),
                                   .d_y = self->gradient,
                                   .x = x->value,
                                   .w = w->value,
                                   .accumulate = accumulate,
                                   .active = context->active ? self->value.data : NULL},
                   context->grid, context->window);
}

static Tensor *conv2d_node(Place place, const char *name, Tensor *x, Tensor *w, Tensor *b, Grid grid,
                           Window window, bool active)
{
    window = window_usual(window);
    need_grid(place, name, x->value, grid);
    const Grid out = window_grid(place, grid, window);
    need_conv(place, name, x, w, b, window);
    Tensor *y =
        tensor_node(place, name, grid_rows(out), w->value.cols, conv2d_step, sizeof(ConvContext), 3, x, w, b);
    *(ConvContext *)y->context = (ConvContext){grid, window, active};
    conv_product(tape_arena(y->tape), y->value, x->value, w->value, b ? b->value : (Matrix){0, 0, NULL}, grid,
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
