// resample.c: see resample.h.
#include "learning/ops/resample.h"
#include "base/parallel.h"
#include "learning/ops/conv.h"
#include "matrix/columns.h"

#include <limits.h>
#include <string.h>

// ---- Grids ---------------------------------------------------------------------------------------------------

static Grid checked(Place place, int count, long long height, long long width)
{
    check_at(place, height > 0 && width > 0, "less padding, or a larger window",
             "pictures of %lld × %lld pixels would come out", height, width);
    check_at(place,
             height <= INT_MAX && width <= INT_MAX &&
                 (double)count * (double)height * (double)width <= INT_MAX,
             "take smaller batches", "%d pictures of %lld × %lld pixels are too many for one matrix", count,
             height, width);
    return (Grid){count, (int)height, (int)width};
}

Grid enlarged_grid(Place place, Grid grid, int factor)
{
    check_at(place, factor > 0, "2 doubles height and width", "a factor of %d", factor);
    return checked(place, grid.count, (long long)grid.height * factor, (long long)grid.width * factor);
}

Grid reduced_grid(Place place, Grid grid, int factor)
{
    check_at(place, factor > 0 && grid.height % factor == 0 && grid.width % factor == 0,
             "the factor divides height and width", "pictures of %d × %d pixels by a factor of %d",
             grid.height, grid.width, factor);
    return (Grid){grid.count, grid.height / factor, grid.width / factor};
}

Grid transposed_grid(Place place, Grid grid, Window window)
{
    window = window_usual(window);
    return checked(place, grid.count,
                   (grid.height - 1LL) * window.stride - 2LL * window.padding + window.height,
                   (grid.width - 1LL) * window.stride - 2LL * window.padding + window.width);
}

// ---- Nearest neighbour -----------------------------------------------------------------------------------------

void upsample_forward(Matrix y, Matrix x, Grid grid, int factor)
{
    const size_t bytes = (size_t)x.cols * sizeof(float);
    PARALLEL_FOR(parallel_worth(matrix_size(y)), line, grid.count * grid.height, {
        for (int i = 0; i < factor; i++)
            for (int j = 0; j < grid.width * factor; j++)
                memcpy(matrix_row(y, (line * factor + i) * grid.width * factor + j),
                       matrix_row(x, line * grid.width + j / factor), bytes);
    });
}

void upsample_backward(Matrix d_x, Matrix d_y, Grid grid, int factor)
{
    if (!d_x.data) return;
    // y at each of the f × f pixels is x at the one: the gradients of all are added, line by line
    PARALLEL_FOR(parallel_worth(matrix_size(d_y)), line, grid.count * grid.height, {
        for (int i = 0; i < factor; i++)
            for (int j = 0; j < grid.width * factor; j++) {
                const float *from = matrix_row(d_y, (line * factor + i) * grid.width * factor + j);
                float *to = matrix_row(d_x, line * grid.width + j / factor);
                for (int c = 0; c < d_x.cols; c++) to[c] += from[c];
            }
    });
}

// ---- Channels and pixels ---------------------------------------------------------------------------------------

void pixel_shuffle_add(Matrix y, Matrix x, Grid grid, int factor)
{
    const int parts = factor * factor, jump = factor * y.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(x)), line, grid.count * grid.height, {
        for (int k = 0; k < parts; k++) {
            float *of_x = matrix_row(x, line * grid.width) + k;
            float *of_y = matrix_row(y, (line * factor + k / factor) * grid.width * factor + k % factor);
            for (int at = 0; at < grid.width; at++, of_x += x.cols, of_y += jump)
                for (int c = 0; c < y.cols; c++) of_y[c] += of_x[c * parts];
        }
    });
}

void pixel_unshuffle_add(Matrix x, Matrix y, Grid grid, int factor)
{
    const int parts = factor * factor, jump = factor * y.cols;
    PARALLEL_FOR(parallel_worth(matrix_size(x)), line, grid.count * grid.height, {
        for (int k = 0; k < parts; k++) {
            float *of_x = matrix_row(x, line * grid.width) + k;
            float *of_y = matrix_row(y, (line * factor + k / factor) * grid.width * factor + k % factor);
            for (int at = 0; at < grid.width; at++, of_x += x.cols, of_y += jump)
                for (int c = 0; c < y.cols; c++) of_x[c * parts] += of_y[c];
        }
    });
}

// ---- Transposed convolution ------------------------------------------------------------------------------------

void conv2d_transposed_forward(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid,
                               Window window)
{
    const Matrix none = {0, 0, NULL};
    fill(y, 0.0f);
    conv2d_backward(scratch, y, none, none, x, y, w, transposed_grid(HERE, grid, window), window);
    if (b.data) add_row(y, b);
}

void conv2d_transposed_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x,
                                Matrix w, Grid grid, Window window)
{
    const Matrix none = {0, 0, NULL};
    const Grid large = transposed_grid(HERE, grid, window);
    // y = convᵀ(x) is linear: d_x = conv(d_y), and the pair (d_y, x) stands where the convolution has (x, d_y)
    if (d_x.data) {
        ArenaMark mark = arena_mark(scratch);
        Matrix convolved = matrix_uninitialised(scratch, d_x.rows, d_x.cols);
        conv2d_forward(scratch, convolved, d_y, w, none, large, window);
        add(d_x, d_x, convolved);
        arena_rewind(scratch, mark);
    }
    if (d_w.data) conv2d_backward(scratch, none, d_w, none, x, d_y, w, large, window);
    if (d_b.data) add_column_sums(d_b, d_y);
}

// ---- Taped -----------------------------------------------------------------------------------------------------

typedef struct {
    Grid grid; // of the smaller picture
    int factor;
    Window window;
} Resampled;

static Tensor *resampled_node(Place place, const char *name, BackwardStep step, Tensor *x, Grid out, int cols,
                              Resampled context)
{
    Tensor *y = tensor_node(place, name, grid_rows(out), cols, step, sizeof context, 1, x);
    memcpy(y->context, &context, sizeof context);
    return y;
}

static void upsample_step(Tensor *self)
{
    const Resampled *context = self->context;
    upsample_backward(tensor_gradient(self->inputs[0]), self->gradient, context->grid, context->factor);
}

Tensor *upsample_at(Place place, Tensor *x, Grid grid, int factor)
{
    need_grid(place, "upsample", x->value, grid);
    Tensor *y = resampled_node(place, "upsample", upsample_step, x, enlarged_grid(place, grid, factor),
                               x->value.cols, (Resampled){.grid = grid, .factor = factor});
    upsample_forward(y->value, x->value, grid, factor);
    return y;
}

static void pixel_shuffle_step(Tensor *self)
{
    const Resampled *context = self->context;
    Matrix d_x = tensor_gradient(self->inputs[0]);
    if (d_x.data) pixel_unshuffle_add(d_x, self->gradient, context->grid, context->factor);
}

Tensor *pixel_shuffle_at(Place place, Tensor *x, Grid grid, int factor)
{
    need_grid(place, "pixel_shuffle", x->value, grid);
    const Grid out = enlarged_grid(place, grid, factor);
    check_at(place, x->value.cols % (factor * factor) == 0, "f² channels become one",
             "pixel_shuffle: %d channels by a factor of %d", x->value.cols, factor);
    Tensor *y = resampled_node(place, "pixel_shuffle", pixel_shuffle_step, x, out,
                               x->value.cols / factor / factor, (Resampled){.grid = grid, .factor = factor});
    fill(y->value, 0.0f);
    pixel_shuffle_add(y->value, x->value, grid, factor);
    return y;
}

static void pixel_unshuffle_step(Tensor *self)
{
    const Resampled *context = self->context;
    Matrix d_x = tensor_gradient(self->inputs[0]);
    if (d_x.data) pixel_shuffle_add(d_x, self->gradient, context->grid, context->factor);
}

Tensor *pixel_unshuffle_at(Place place, Tensor *x, Grid grid, int factor)
{
    need_grid(place, "pixel_unshuffle", x->value, grid);
    const Grid small = reduced_grid(place, grid, factor);
    Tensor *y = resampled_node(place, "pixel_unshuffle", pixel_unshuffle_step, x, small,
                               x->value.cols * factor * factor, (Resampled){.grid = small, .factor = factor});
    fill(y->value, 0.0f);
    pixel_unshuffle_add(y->value, x->value, small, factor);
    return y;
}

static void conv2d_transposed_step(Tensor *self)
{
    const Resampled *context = self->context;
    conv2d_transposed_backward(tape_arena(self->tape), tensor_gradient(self->inputs[0]),
                               tensor_gradient(self->inputs[1]), tensor_gradient(self->inputs[2]),
                               self->gradient, self->inputs[0]->value, self->inputs[1]->value, context->grid,
                               context->window);
}

Tensor *conv2d_transposed_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window)
{
    window = window_usual(window);
    need_grid(place, "conv2d_transposed", x->value, grid);
    const int taps = window.height * window.width,
              outputs = b ? b->value.cols : w->value.rows / int_max(1, taps);
    check_at(
        place, window.groups == 1 && w->value.cols == x->value.cols && w->value.rows == taps * outputs,
        "the weight is that of the convolution from the outputs to the inputs: (taps · outputs × inputs)",
        "conv2d_transposed: %d channels, a window of %d × %d pixels and %d groups meet a weight (%d × %d) "
        "and "
        "%d outputs",
        x->value.cols, window.height, window.width, window.groups, w->value.rows, w->value.cols, outputs);
    check_at(place, !b || b->value.rows == 1, "a bias is (1 × outputs), or NULL",
             "conv2d_transposed: a bias (%d × %d)", b ? b->value.rows : 0, b ? b->value.cols : 0);
    const Resampled context = {.grid = grid, .window = window};
    Tensor *y = tensor_node(place, "conv2d_transposed", grid_rows(transposed_grid(place, grid, window)),
                            outputs, conv2d_transposed_step, sizeof context, 3, x, w, b);
    memcpy(y->context, &context, sizeof context);
    conv2d_transposed_forward(tape_arena(y->tape), y->value, x->value, w->value,
                              b ? b->value : (Matrix){0, 0, NULL}, grid, window);
    return y;
}
