// depthwise.c: convolution with one window for each channel. See depthwise.h.
//
// A group of one channel leaves nothing to a product of matrices: each number of the output is a sum of k_h · k_w terms, and
// one channel at a time would use one lane of a vector. But channels lie side by side, and all of them do the same with
// numbers of their own. So the lanes are channels: sixteen at a time stay in registers while the taps go by, and a pixel's
// channels are read as they lie. No margin of zeros is needed; taps outside of the picture are left out by the bounds of the
// loops. The gradient of a pixel is the same sum, over the windows that have seen it, and runs in the same function with
// steps backwards through the weights.
#include "matrix/depthwise.h"
#include "base/parallel.h"

enum { CHANNELS = 16 }; // at a time

// Taps of a window that lie on the picture, and how to go from one to the next in two arrays; in numbers, not pixels
typedef struct {
    const float *a, *b;
    int lines, columns;
    ptrdiff_t a_line, a_column, b_line, b_column;
} Taps;

// out[c] = start[c] + Σ over taps a[c] · b[c], for count channels from c = first on. Always inlined, so that sixteen become
// vectors.
static inline __attribute__((always_inline)) void sum_taps(float *out, const float *start, Taps t, int first,
                                                           int count, bool relu)
{
    float total[CHANNELS] = {0};
    for (int c = 0; c < count && start; c++) total[c] = start[first + c];
    for (int i = 0; i < t.lines; i++)
        for (int j = 0; j < t.columns; j++) {
            const float *a = t.a + i * t.a_line + j * t.a_column + first,
                        *b = t.b + i * t.b_line + j * t.b_column + first;
            for (int c = 0; c < count; c++) total[c] = __builtin_fmaf(a[c], b[c], total[c]);
        }
    for (int c = 0; c < count; c++) out[first + c] = relu && total[c] < 0.0f ? 0.0f : total[c];
}

static void sum_pixel(float *out, const float *start, Taps t, int channels, bool relu)
{
    int first = 0;
    for (; first + CHANNELS <= channels; first += CHANNELS) sum_taps(out, start, t, first, CHANNELS, relu);
    if (first < channels) sum_taps(out, start, t, first, channels - first, relu);
}

// The taps first … end − 1 of a side's taps that lie on the picture when the window's begin is at `at`
static void taps_inside(int at, int taps, int side, int *first, int *end)
{
    *first = int_max(0, -at);
    *end = int_max(*first, int_min(taps, side - at));
}

static Taps taps_of_output(Matrix x, Matrix w, Grid grid, Window window, int picture, int i, int j)
{
    const int top = i * window.stride - window.padding, left = j * window.stride - window.padding,
              channels = x.cols;
    int dy, dy_end, dx, dx_end;
    taps_inside(top, window.height, grid.height, &dy, &dy_end);
    taps_inside(left, window.width, grid.width, &dx, &dx_end);
    if (dy == dy_end || dx == dx_end) return (Taps){0};
    return (Taps){.a = matrix_row(x, (picture * grid.height + top + dy) * grid.width + left + dx),
                  .b = matrix_row(w, dy * window.width + dx),
                  .lines = dy_end - dy,
                  .columns = dx_end - dx,
                  .a_line = (ptrdiff_t)grid.width * channels,
                  .a_column = channels,
                  .b_line = (ptrdiff_t)window.width * channels,
                  .b_column = channels};
}

void depthwise_product(Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window, bool relu)
{
    const Grid out = window_grid(HERE, grid, window);
#pragma omp parallel for schedule(static) if (parallel_worth(matrix_size(y) * (size_t)w.rows / 8))
    for (int line = 0; line < out.count * out.height; line++)
        for (int j = 0; j < out.width; j++)
            sum_pixel(matrix_row(y, line * out.width + j), b.data,
                      taps_of_output(x, w, grid, window, line / out.height, line % out.height, j), x.cols,
                      relu);
}

// ---- Gradients --------------------------------------------------------------------------------------------

// Along one side, the windows first … end − 1 that have seen the pixel at `at`
static void windows_over(int at, int taps, int stride, int padding, int count, int *first, int *end)
{
    const int last = (at + padding) / stride,
              above = at + padding - taps; // window k sees it if k · stride > above
    *first = above < 0 ? 0 : above / stride + 1;
    *end = int_max(*first, int_min(count, last + 1));
}

// The windows that have seen a pixel, in their order: forward in d_y and backward in the weights
static Taps taps_of_input(Matrix d_y, Matrix w, Grid out, Window window, int picture, int y, int x)
{
    int i, i_end, j, j_end;
    const int channels = d_y.cols, stride = window.stride;
    windows_over(y, window.height, stride, window.padding, out.height, &i, &i_end);
    windows_over(x, window.width, stride, window.padding, out.width, &j, &j_end);
    if (i == i_end || j == j_end) return (Taps){0};
    const int dy = y + window.padding - i * stride, dx = x + window.padding - j * stride;
    return (Taps){.a = matrix_row(d_y, (picture * out.height + i) * out.width + j),
                  .b = matrix_row(w, dy * window.width + dx),
                  .lines = i_end - i,
                  .columns = j_end - j,
                  .a_line = (ptrdiff_t)out.width * channels,
                  .a_column = channels,
                  .b_line = -(ptrdiff_t)stride * window.width * channels,
                  .b_column = -(ptrdiff_t)stride * channels};
}

static void d_x_of(const ConvGradients *g, Matrix d_y, Grid grid, Grid out, Window window)
{
#pragma omp parallel for schedule(static) if (parallel_worth(matrix_size(g->d_x) * (size_t)g->w.rows / 8))
    for (int line = 0; line < grid.count * grid.height; line++)
        for (int j = 0; j < grid.width; j++) {
            float *d_x = matrix_row(g->d_x, line * grid.width + j);
            sum_pixel(d_x, g->accumulate ? d_x : NULL,
                      taps_of_input(d_y, g->w, out, window, line / grid.height, line % grid.height, j),
                      g->d_x.cols, false);
        }
}

// What pictures first … last − 1 give; the rows of sums are those of w, and one for the bias behind them.
static void d_w_of(Matrix sums, const ConvGradients *g, Matrix d_y, Grid grid, Window window, int first,
                   int last)
{
    const Grid out = window_grid(HERE, grid, window);
    const int channels = g->x.cols, pixels = out.height * out.width;
    fill(sums, 0.0f);
    for (int p = first * pixels; p < last * pixels; p++) {
        const float *d = matrix_row(d_y, p);
        float *restrict d_b = matrix_row(sums, sums.rows - 1);
        for (int c = 0; c < channels; c++) d_b[c] += d[c];
        const Taps t =
            taps_of_output(g->x, g->w, grid, window, p / pixels, p / out.width % out.height, p % out.width);
        for (int i = 0; i < t.lines; i++)
            for (int j = 0; j < t.columns; j++) {
                const float *x = t.a + i * t.a_line + j * t.a_column;
                float *restrict d_w = sums.data + (t.b - g->w.data) + i * t.b_line + j * t.b_column;
                for (int c = 0; c < channels; c++) d_w[c] = __builtin_fmaf(x[c], d[c], d_w[c]);
            }
    }
}

void depthwise_gradients(Arena *scratch, ConvGradients g, Grid grid, Window window)
{
    const Grid out = window_grid(HERE, grid, window);
    const int count = grid.count, chunk = conv_chunk(count), chunks = chunk ? (count + chunk - 1) / chunk : 0;
    if (chunks == 0) return;
    const ArenaMark mark = arena_mark(scratch);
    Matrix d_y = g.d_y;
    if (g.active) {
        d_y = matrix_uninitialised(scratch, g.d_y.rows, g.d_y.cols);
        for (size_t k = 0; k < matrix_size(d_y); k++) d_y.data[k] = g.active[k] > 0.0f ? g.d_y.data[k] : 0.0f;
    }
    if (g.d_x.data) d_x_of(&g, d_y, grid, out, window);
    const int rows = g.w.rows + 1;
    Matrix sums = matrix_uninitialised(scratch, g.d_w.data || g.d_b.data ? chunks * rows : 0, g.w.cols);
#pragma omp parallel for schedule(static) if (parallel_worth(matrix_size(d_y) * (size_t)g.w.rows / 4))
    for (int part = 0; part < sums.rows / rows; part++)
        d_w_of(matrix_rows(sums, part * rows, rows), &g, d_y, grid, window, part * chunk,
               int_min((part + 1) * chunk, count));
    for (int part = 0; part < sums.rows / rows; part++) {
        const Matrix of = matrix_rows(sums, part * rows, rows);
        if (g.d_w.data) add(g.d_w, g.d_w, matrix_rows(of, 0, g.w.rows));
        if (g.d_b.data) add(g.d_b, g.d_b, matrix_rows(of, g.w.rows, 1));
    }
    arena_rewind(scratch, mark);
}
