// conv.h: convolution, a layer that mixes neighbouring positions of a grid. For pooling see pool.h.
//
// Pictures are rows of a matrix, as matrix/grid.h says.
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
#include "matrix/grid.h"

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

// ---- Taped --------------------------------------------------------------------------------------------------
// The grid that comes out is window_grid(HERE, grid, window). b may be NULL. conv2d_relu is max(0, conv2d), fused.
#define conv2d(x, w, b, grid, window)      conv2d_at(HERE, x, w, b, grid, window)
#define conv2d_relu(x, w, b, grid, window) conv2d_relu_at(HERE, x, w, b, grid, window)
Tensor *conv2d_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window);
Tensor *conv2d_relu_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window);
