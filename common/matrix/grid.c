// grid.c: what fits on what. See grid.h.
#include "matrix/grid.h"

#include <limits.h>

Window window_usual(Window window)
{
    if (window.stride == 0) window.stride = 1;
    if (window.groups == 0) window.groups = 1;
    return window;
}

Grid window_grid(Place place, Grid grid, Window window)
{
    window = window_usual(window);
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

void need_grid(Place place, const char *name, Matrix x, Grid grid)
{
    const bool counted = grid.count >= 0 && grid.height > 0 && grid.width > 0;
    check_at(place, counted && (double)grid.count * grid.height * grid.width == (double)x.rows,
             "rows are pixels: count · height · width of them, and columns are channels",
             "%s: x (%d × %d) on a grid of %d pictures of %d × %d pixels", name, x.rows, x.cols, grid.count,
             grid.height, grid.width);
}
