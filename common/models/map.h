// map.h: features with their grid in one value, so that geometry does not travel beside the data by hand. What takes a map gives
// one with the grid that follows from it; maps that do not fit together stop the program with the caller's line.
//
//     Map h = map_conv_relu(&net->first, map_input(tape, pixels, grid));
//     Map deep = map_conv_relu(&net->second, map_max_pool(h, window_square(2, 2, 0)));
//     Map back = map_concat(h, map_upsample(deep, 2));             // the shortcut of a U-Net
//     Map scores = map_conv(&net->last, map_each(back, silu));
//
// Used for: detection, segmentation and diffusion (12, 26). The layers are those of nn.h and learning/ops; for one convolution
// or two, their own functions with a Grid do as well.
#pragma once
#include "learning/ops/group_norm.h"
#include "learning/ops/resample.h"
#include "models/nn.h"

typedef struct {
    Tensor *features; // (n·H·W × C)
    Grid grid;
} Map;

#define map_input(tape, pixels, grid)  map_input_at(HERE, tape, pixels, grid) // pixels (n·H·W × C)
#define map_of(features, grid)         map_of_at(HERE, features, grid) // features that are there already
#define map_conv(layer, m)             map_conv_at(HERE, layer, m)
#define map_conv_relu(layer, m)        map_conv_relu_at(HERE, layer, m)
#define map_max_pool(m, window)        map_max_pool_at(HERE, m, window)
#define map_average_pool(m, window)    map_average_pool_at(HERE, m, window)
#define map_means(m)                   map_means_at(HERE, m) // of each channel of each picture: (n × C)
#define map_upsample(m, factor)        map_upsample_at(HERE, m, factor)
#define map_pixel_shuffle(m, factor)   map_pixel_shuffle_at(HERE, m, factor)
#define map_pixel_unshuffle(m, factor) map_pixel_unshuffle_at(HERE, m, factor)
#define map_concat(a, b)               map_concat_at(HERE, a, b) // channels side by side
#define map_add(a, b)                  map_add_at(HERE, a, b)
#define map_each(m, function)          map_each_at(m, function) // of every element: relu, silu, …
Map map_input_at(Place place, Tape *tape, Matrix pixels, Grid grid);
Map map_of_at(Place place, Tensor *features, Grid grid);
Map map_conv_at(Place place, const Conv *layer, Map m);
Map map_conv_relu_at(Place place, const Conv *layer, Map m);
Map map_max_pool_at(Place place, Map m, Window window);
Map map_average_pool_at(Place place, Map m, Window window);
Tensor *map_means_at(Place place, Map m);
Map map_upsample_at(Place place, Map m, int factor);
Map map_pixel_shuffle_at(Place place, Map m, int factor);
Map map_pixel_unshuffle_at(Place place, Map m, int factor);
Map map_concat_at(Place place, Map a, Map b);
Map map_add_at(Place place, Map a, Map b);
Map map_each_at(Map m, Tensor *(*function)(Tensor *));

// A number for each channel of each picture, added to all of its pixels: (n × C), such as what a diffusion network is told about
// the time.
#define map_add_to_pictures(m, numbers) map_add_to_pictures_at(HERE, m, numbers)
Map map_add_to_pictures_at(Place place, Map m, Tensor *numbers);

// The transpose of a convolution: makes pictures larger (learning/ops/resample.h).
typedef struct {
    Tensor *weight, *bias; // (k_h·k_w·outputs × inputs), (1 × outputs)
    Window window;
} ConvTransposed;

// Weights begin as INIT_HE has them, with as many inputs as one output sees.
#define conv_transposed_new(set, name, inputs, outputs, window, rng)                                         \
    conv_transposed_new_at(HERE, set, name, inputs, outputs, window, rng)
#define map_conv_transposed(layer, m) map_conv_transposed_at(HERE, layer, m)
ConvTransposed conv_transposed_new_at(Place place, Parameters *set, const char *name, int inputs, int outputs,
                                      Window window, Rng *rng);
Map map_conv_transposed_at(Place place, const ConvTransposed *layer, Map m);

typedef struct {
    Tensor *gain, *bias; // (1 × features): ones and zeros
    int groups;
} GroupNorm;

#define group_norm_new(set, name, features, groups) group_norm_new_at(HERE, set, name, features, groups)
#define map_group_normalise(layer, m)               map_group_normalise_at(HERE, layer, m)
GroupNorm group_norm_new_at(Place place, Parameters *set, const char *name, int features, int groups);
Map map_group_normalise_at(Place place, const GroupNorm *layer, Map m);
