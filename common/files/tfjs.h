// tfjs.h: the weights of a model made for TensorFlow.js.
//
//     TfjsFile file = tfjs_open(arena, "datasets/cache/face-detector/tiny_face_detector_model-weights_manifest.json");
//     Matrix filters = tfjs_matrix(arena, &file, "conv0/filters", 3 * 3 * 3, 16);
//
// The format (github.com/tensorflow/tfjs, "weights manifest"): a JSON list of groups,
//
//     [{"weights": [{"name": "conv0/bias", "shape": [16], "dtype": "float32",
//                    "quantization": {"dtype": "uint8", "scale": 0.0053, "min": -0.92}}, …],
//       "paths": ["model.bin"]}, …]
//
// and beside it the files of each group. The bytes of its paths, put together in their order, are its tensors, one after the
// other in the order of the list, row by row, without holes and without alignment. A tensor without "quantization" is raw
// little-endian float32. With it, each number was rounded to one of 256 levels, and a byte q stands for q · scale + min,
// computed in double and rounded to float once (affine quantisation; Jacob et al., CVPR 2018, eq. 1, with real zero points).
//
// Filters of a convolution have the shape [k_h, k_w, inputs, outputs], which row by row is our weight (k_h·k_w·inputs ×
// outputs); depthwise ones [k_h, k_w, channels, 1] are our weight (k_h·k_w × channels) of a convolution with as many groups
// as channels (learning/ops/conv.h). tfjs_matrix is asked for rows and columns, and moves no number.
//
// Such models are small, made to be sent to a browser: all their bytes are read into the arena.
//
// Manifest and files are untrusted input. The program stops with the file's name, the tensor and the reason when a path is not
// a file of the manifest's own folder (a slash, "..", a link that leads elsewhere) or is named twice; when shapes and bytes do
// not agree, too few or too many, or overflow; when a tensor or a key is there twice; when a scale or minimum is no finite
// number, or a level beyond those of a float; and for numbers of other types (int32, bool, float16, levels of uint16, …).
// Keys that are not known are skipped.
#pragma once
#include "matrix/matrix.h"

enum {
    TFJS_MAX_MANIFEST = 1 << 24, // bytes
    TFJS_MAX_BYTES = 1 << 30,    // of all other files
    TFJS_MAX_TENSORS = 1 << 16,
    TFJS_MAX_FILES = 512, // of all groups
    TFJS_MAX_RANK = 8,
};

typedef struct {
    const char *name;
    int rank;
    size_t shape[TFJS_MAX_RANK];
    size_t elements;       // their product
    bool quantised;        // a byte a number; otherwise four
    double scale, minimum; // of a quantised one
    const uint8_t *data;   // not aligned
    size_t bytes;
} TfjsTensor;

typedef struct {
    const char *path;
    TfjsTensor *tensors; // sorted by name
    int count;
} TfjsFile;

// Reads a manifest and its files.
#define tfjs_open(arena, manifest_path) tfjs_open_at(HERE, arena, manifest_path)
TfjsFile tfjs_open_at(Place place, Arena *arena, const char *manifest_path);

const TfjsTensor *tfjs_find(const TfjsFile *file, const char *name); // NULL when there is none

// The tensor as a matrix of its own, its dimensions cut in two: those before the cut multiply to rows, those behind it to cols
// ([3, 3, 16, 32] is 144 × 32, and 9 × 512 as well; [3, 3, 16, 1] is 9 × 16; [16] is 1 × 16). Anything else stops the program
// with the file, the tensor, and both shapes.
#define tfjs_matrix(arena, file, name, rows, cols) tfjs_matrix_at(HERE, arena, file, name, rows, cols)
Matrix tfjs_matrix_at(Place place, Arena *arena, const TfjsFile *file, const char *name, int rows, int cols);
