// pool.h: pooling, which makes one pixel of all those in a window.
//
// Shapes: x (n·H·W × C), y (n·H'·W' × C), as matrix/grid.h says. Backward functions add to the gradients they are given and
// skip those whose data is NULL.
#pragma once
#include "learning/tensor.h"
#include "matrix/grid.h"

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
// The grid that comes out is window_grid(HERE, grid, window).
#define max_pool(x, grid, window)     max_pool_at(HERE, x, grid, window)
#define average_pool(x, grid, window) average_pool_at(HERE, x, grid, window)
#define global_average_pool(x, grid)  global_average_pool_at(HERE, x, grid)
Tensor *max_pool_at(Place place, Tensor *x, Grid grid, Window window);
Tensor *average_pool_at(Place place, Tensor *x, Grid grid, Window window);
Tensor *global_average_pool_at(Place place, Tensor *x, Grid grid);
