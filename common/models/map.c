// map.c: see map.h.
#include "models/map.h"
#include "base/check.h"
#include "base/parallel.h"

static void need_same_grid(Place place, const char *name, Map a, Map b)
{
    check_at(place,
             a.grid.count == b.grid.count && a.grid.height == b.grid.height && a.grid.width == b.grid.width,
             "pool or enlarge one of them", "%s: %d pictures of %d × %d pixels and %d of %d × %d", name,
             a.grid.count, a.grid.height, a.grid.width, b.grid.count, b.grid.height, b.grid.width);
}

Map map_of_at(Place place, Tensor *features, Grid grid)
{
    need_grid(place, "map_of", features->value, grid);
    return (Map){features, grid};
}

Map map_input_at(Place place, Tape *tape, Matrix pixels, Grid grid)
{
    need_grid(place, "map_input", pixels, grid);
    return (Map){tape_input(tape, pixels), grid};
}

Map map_conv_at(Place place, const Conv *layer, Map m)
{
    return (Map){conv_at(place, layer, m.features, m.grid), window_grid(place, m.grid, layer->window)};
}

Map map_conv_relu_at(Place place, const Conv *layer, Map m)
{
    return (Map){conv_relu_at(place, layer, m.features, m.grid), window_grid(place, m.grid, layer->window)};
}

Map map_max_pool_at(Place place, Map m, Window window)
{
    return (Map){max_pool_at(place, m.features, m.grid, window), window_grid(place, m.grid, window)};
}

Map map_average_pool_at(Place place, Map m, Window window)
{
    return (Map){average_pool_at(place, m.features, m.grid, window), window_grid(place, m.grid, window)};
}

Tensor *map_means_at(Place place, Map m) { return global_average_pool_at(place, m.features, m.grid); }

Map map_upsample_at(Place place, Map m, int factor)
{
    return (Map){upsample_at(place, m.features, m.grid, factor), enlarged_grid(place, m.grid, factor)};
}

Map map_pixel_shuffle_at(Place place, Map m, int factor)
{
    return (Map){pixel_shuffle_at(place, m.features, m.grid, factor), enlarged_grid(place, m.grid, factor)};
}

Map map_pixel_unshuffle_at(Place place, Map m, int factor)
{
    return (Map){pixel_unshuffle_at(place, m.features, m.grid, factor), reduced_grid(place, m.grid, factor)};
}

Map map_concat_at(Place place, Map a, Map b)
{
    need_same_grid(place, "map_concat", a, b);
    return (Map){concat_columns_at(place, a.features, b.features), a.grid};
}

Map map_add_at(Place place, Map a, Map b)
{
    need_same_grid(place, "map_add", a, b);
    return (Map){tensor_add_at(place, a.features, b.features), a.grid};
}

Map map_each_at(Map m, Tensor *(*function)(Tensor *)) { return (Map){function(m.features), m.grid}; }

static void add_to_pictures_step(Tensor *self)
{
    // y_i = x_i + numbers of the picture of pixel i
    const int pixels = *(const int *)self->context, cols = self->value.cols;
    const Matrix d_y = self->gradient, d_x = tensor_gradient(self->inputs[0]),
                 d_numbers = tensor_gradient(self->inputs[1]);
    PARALLEL_FOR(parallel_worth(matrix_size(d_y)), n, d_y.rows / pixels, {
        for (int i = n * pixels; i < (n + 1) * pixels; i++) {
            const float *from = matrix_row(d_y, i);
            float *restrict to = d_x.data ? matrix_row(d_x, i) : NULL;
            float *restrict all = d_numbers.data ? matrix_row(d_numbers, n) : NULL;
            for (int c = 0; c < cols && to; c++) to[c] += from[c];
            for (int c = 0; c < cols && all; c++) all[c] += from[c];
        }
    });
}

Map map_add_to_pictures_at(Place place, Map m, Tensor *numbers)
{
    check_at(place, m.features->tape, "begin with map_input", "map_add_to_pictures: the map is on no tape");
    check_at(place, numbers->value.rows == m.grid.count && numbers->value.cols == m.features->value.cols,
             "a number for each channel of each picture",
             "map_add_to_pictures: %d pictures with %d channels, numbers (%d × %d)", m.grid.count,
             m.features->value.cols, numbers->value.rows, numbers->value.cols);
    const int pixels = m.grid.height * m.grid.width;
    const Matrix x = m.features->value;
    Tensor *y = tensor_node(place, "add_to_pictures", x.rows, x.cols, add_to_pictures_step, sizeof pixels, 2,
                            m.features, numbers);
    *(int *)y->context = pixels;
    PARALLEL_FOR(parallel_worth(matrix_size(x)), i, x.rows, {
        const float *from = matrix_row(x, i), *number = matrix_row(numbers->value, i / pixels);
        float *to = matrix_row(y->value, i);
        for (int c = 0; c < x.cols; c++) to[c] = from[c] + number[c];
    });
    return (Map){y, m.grid};
}

ConvTransposed conv_transposed_new_at(Place place, Parameters *set, const char *name, int inputs, int outputs,
                                      Window window, Rng *rng)
{
    check_at(place, inputs > 0 && outputs > 0 && window.height > 0 && window.width > 0 && window.groups <= 1,
             "a window is {height, width, stride, padding}, without groups",
             "conv_transposed_new: %s from %d to %d channels with a window of %d × %d pixels in %d groups",
             name, inputs, outputs, window.height, window.width, window.groups);
    const int taps = window.height * window.width;
    ConvTransposed layer = {
        parameters_add_at(place, set, layer_name(set, name, "weight", -1), taps * outputs, inputs),
        parameters_add_at(place, set, layer_name(set, name, "bias", -1), 1, outputs), window_usual(window)};
    // Of its taps, a window that moves by `stride` lays taps / stride² on each output: with all inputs, that is its fan-in.
    const int stride = layer.window.stride, fan_in = int_max(1, inputs * taps / (stride * stride));
    if (rng) fill_normal(layer.weight->value, rng, 0.0f, he_deviation(fan_in));
    return layer;
}

Map map_conv_transposed_at(Place place, const ConvTransposed *layer, Map m)
{
    return (Map){conv2d_transposed_at(place, m.features, layer->weight, layer->bias, m.grid, layer->window),
                 transposed_grid(place, m.grid, layer->window)};
}

GroupNorm group_norm_new_at(Place place, Parameters *set, const char *name, int features, int groups)
{
    check_at(place, groups > 0 && features % groups == 0, "the groups share the channels equally",
             "group_norm_new: %s has %d channels in %d groups", name, features, groups);
    GroupNorm layer = {parameters_add_at(place, set, layer_name(set, name, "gain", -1), 1, features),
                       parameters_add_at(place, set, layer_name(set, name, "bias", -1), 1, features), groups};
    fill(layer.gain->value, 1.0f);
    return layer;
}

Map map_group_normalise_at(Place place, const GroupNorm *layer, Map m)
{
    return (Map){group_norm_at(place, m.features, layer->gain, layer->bias, m.grid, layer->groups), m.grid};
}
