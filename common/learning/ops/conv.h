// conv.h: layers that mix neighbouring positions of a grid: convolution, pooling.
//
// A batch of pictures is one matrix: row (n · height + y) · width + x holds the C features of pixel (y, x) of
// picture n. Rows are positions and columns are features, as everywhere, so a linear layer on such a matrix is a
// 1 × 1 convolution, and the flattening in front of a classifier is a reshape that moves no number.
//
// Shapes: n pictures, H × W their pixels, C channels in, O channels out, G groups, k the side of a window.
//   x (n·H·W × C), y (n·H'·W' × O), w (k_h·k_w·C/G × O), b (1 × O) or with data NULL
// The row (dy · k_w + dx) · C/G + c of w belongs to the tap (dy, dx) of the window and to input channel c of the
// group. Output channel o belongs to group o / (O/G), which sees the input channels from o / (O/G) · C/G on. With
// G = C = O the convolution is depthwise: one window for each channel.
//
// Backward functions add to the gradients they are given and skip those whose data is NULL.
#pragma once
#include "learning/tensor.h"

typedef struct {
    int count, height, width; // a matrix with count · height · width rows
} Grid;

// A window that slides over a grid. Zero stands for the usual: stride 1, padding 0, groups 1.
typedef struct {
    int height, width; // of the window, in pixels
    int stride;        // in both directions
    int padding;       // pixels of zeros (for max pooling: of nothing) added on each side
    int groups;        // convolution only
} Window;

static inline Window window_square(int side, int stride, int padding)
{
    return (Window){side, side, stride, padding, 1};
}

// The grid that comes out: height (H + 2·padding − k_h) / stride + 1, rounded down; stops when that is below 1.
Grid window_grid(Place place, Grid grid, Window window);

static inline int grid_rows(Grid grid) { return grid.count * grid.height * grid.width; }

// ---- Convolution ------------------------------------------------------------------------------------------
// y[p, o] = b_o + Σ over taps and channels of x[p·stride + tap − padding, c] · w[tap·C/G + c, o]: what signal
// processing calls correlation (LeCun et al. 1989 call it convolution, and so does the field).
// scratch is for copies that the fast version makes; it is rewound before returning.
void conv2d_forward(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window);
void conv2d_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w,
                     Grid grid, Window window);

// The same as seven plain loops: the oracle of the tests, and the figure to beat in benchmarks.
void conv2d_naive_forward(Matrix y, Matrix x, Matrix w, Matrix b, Grid grid, Window window);
void conv2d_naive_backward(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w, Grid grid,
                           Window window);

// Every window of x as one row (groups 1): patches (n·H'·W' × k_h·k_w·C), so that y = patches · w. A tap beyond the
// edge is 0. patches_to_grid is its transpose: it adds each patch back to the pixels that it came from.
void grid_to_patches(Matrix patches, Matrix x, Grid grid, Window window);
void patches_to_grid(Matrix d_x, Matrix d_patches, Grid grid, Window window);

// ---- Pooling ------------------------------------------------------------------------------------------------
// The largest of each window; chosen (as many as y has numbers) receives the row of x that it came from, the first
// of equals. A NaN in the window comes out as NaN.
void max_pool_forward(Matrix y, int *chosen, Matrix x, Grid grid, Window window);
void max_pool_backward(Matrix d_x, Matrix d_y, const int *chosen);

// The mean of each window, always divided by k_h · k_w.
void average_pool_forward(Matrix y, Matrix x, Grid grid, Window window);
void average_pool_backward(Matrix d_x, Matrix d_y, Grid grid, Window window);

// The mean over all pixels: (n·H·W × C) → (n × C)
void global_average_pool_forward(Matrix y, Matrix x, Grid grid);
void global_average_pool_backward(Matrix d_x, Matrix d_y, Grid grid);

// ---- Taped --------------------------------------------------------------------------------------------------
// The grid that comes out is window_grid(HERE, grid, window). b may be NULL. conv2d_relu is max(0, conv2d), fused.
#define conv2d(x, w, b, grid, window)      conv2d_at(HERE, x, w, b, grid, window)
#define conv2d_relu(x, w, b, grid, window) conv2d_relu_at(HERE, x, w, b, grid, window)
#define max_pool(x, grid, window)          max_pool_at(HERE, x, grid, window)
#define average_pool(x, grid, window)      average_pool_at(HERE, x, grid, window)
#define global_average_pool(x, grid)       global_average_pool_at(HERE, x, grid)
Tensor *conv2d_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window);
Tensor *conv2d_relu_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window);
Tensor *max_pool_at(Place place, Tensor *x, Grid grid, Window window);
Tensor *average_pool_at(Place place, Tensor *x, Grid grid, Window window);
Tensor *global_average_pool_at(Place place, Tensor *x, Grid grid);
