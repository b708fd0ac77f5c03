// resample.h: layers that make pictures larger, and those that trade pixels for channels.
//
// Used for: the way up of a U-Net (upsample, conv2d_transposed: 12, 26), super-resolution and patches (pixel_shuffle, pixel_unshuffle:
// 12, 22).
//
// Pictures are rows of a matrix, as matrix/grid.h says. Shapes: n pictures, H × W their pixels, C channels, f the factor.
// Backward functions add to the gradients they are given and skip those whose data is NULL.
#pragma once
#include "learning/tensor.h"
#include "matrix/grid.h"

// The grid with f times the height and width; and the one with as many times fewer, which must divide both.
Grid enlarged_grid(Place place, Grid grid, int factor);
Grid reduced_grid(Place place, Grid grid, int factor);

// Each pixel becomes f × f equal ones (nearest neighbour): x (n·H·W × C), y (n·fH·fW × C)
void upsample_forward(Matrix y, Matrix x, Grid grid, int factor);
void upsample_backward(Matrix d_x, Matrix d_y, Grid grid, int factor);

// Channels become pixels (Shi et al. 2016): x (n·H·W × C·f²), y (n·fH·fW × C). Channel c·f² + i·f + j of a pixel is channel c of
// the pixel (i, j) in the f × f pixels that it becomes. unshuffle is the inverse, and each the gradient of the other; grid is
// always that of the smaller picture. Both add to what they write to.
void pixel_shuffle_add(Matrix y, Matrix x, Grid grid, int factor);
void pixel_unshuffle_add(Matrix x, Matrix y, Grid grid, int factor);

// The transpose of a convolution (Zeiler et al. 2010): w (k_h·k_w·O × C) is the weight of the convolution that leads from the O
// channels of y back to the C channels of x, and y (n·H'·W' × O) is what its gradient would be; H' = (H − 1)·stride − 2·padding +
// k_h. b (1 × O) or with data NULL. Windows without groups.
Grid transposed_grid(Place place, Grid grid, Window window);
void conv2d_transposed_forward(Arena *scratch, Matrix y, Matrix x, Matrix w, Matrix b, Grid grid,
                               Window window);
void conv2d_transposed_backward(Arena *scratch, Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x,
                                Matrix w, Grid grid, Window window);

// ---- Taped --------------------------------------------------------------------------------------------------
// The grid that comes out: enlarged_grid, reduced_grid, transposed_grid (HERE, grid, …). b may be NULL.
#define upsample(x, grid, factor)      upsample_at(HERE, x, grid, factor)
#define pixel_shuffle(x, grid, factor) pixel_shuffle_at(HERE, x, grid, factor)
#define pixel_unshuffle(x, grid, factor)                                                                     \
    pixel_unshuffle_at(HERE, x, grid, factor) // grid: of the larger picture x
#define conv2d_transposed(x, w, b, grid, window) conv2d_transposed_at(HERE, x, w, b, grid, window)
Tensor *upsample_at(Place place, Tensor *x, Grid grid, int factor);
Tensor *pixel_shuffle_at(Place place, Tensor *x, Grid grid, int factor);
Tensor *pixel_unshuffle_at(Place place, Tensor *x, Grid grid, int factor);
Tensor *conv2d_transposed_at(Place place, Tensor *x, Tensor *w, Tensor *b, Grid grid, Window window);
