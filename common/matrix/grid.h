// grid.h: pictures as rows of a matrix, and windows that slide over them.
//
// A batch of pictures is one matrix: row (n · height + y) · width + x holds the C features of pixel (y, x) of
// picture n. Rows are positions and columns are features, as everywhere, so a linear layer on such a matrix is a
// 1 × 1 convolution, and the flattening in front of a classifier is a reshape that moves no number.
#pragma once
#include "matrix/matrix.h"

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

Window window_usual(Window window); // with the usual for zeros

// The grid that comes out: height (H + 2·padding − k_h) / stride + 1, rounded down; stops when that is below 1.
Grid window_grid(Place place, Grid grid, Window window);

static inline int grid_rows(Grid grid) { return grid.count * grid.height * grid.width; }

// Every pixel of the grid is one row of x, or the program stops with the operation's name.
void need_grid(Place place, const char *name, Matrix x, Grid grid);

// The pixel of x under tap (dy, dx) of the window at (i, j); −1: it lies outside.
static inline int pixel_under(Grid grid, Window window, int i, int j, int dy, int dx)
{
    const int y = i * window.stride + dy - window.padding, x = j * window.stride + dx - window.padding;
    if (y < 0 || y >= grid.height || x < 0 || x >= grid.width) return -1;
    return y * grid.width + x;
}
