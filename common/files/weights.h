// weights.h: the tensors of a model by their names, whether its folder holds one safetensors file or many.
//
//     Weights weights = weights_open(arena, "Qwen3-0.6B");
//     Stored up = weights_stored(&weights, "model.layers.0.mlp.up_proj.weight", 3072, 1024);     // a view, as it is there
//     Matrix gain = weights_matrix(arena, &weights, "model.norm.weight", 1, 1024);               // a copy, as floats
//     …
//     weights_close(&weights);                                                // what weights_stored gave is gone
//
// The layout is that of Hugging Face: model.safetensors, or else model.safetensors.index.json, a JSON object
//
//     {"metadata": {"total_size": 1503300328}, "weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors", …}}
//
// and beside it the files that it names, the shards. Where both are there the single file counts, as with others. Instead of
// a folder a safetensors file can be given.
//
// A folder is untrusted input. The program stops with the name of the file and the reason when a shard is missing; when a
// shard is not a file of this very folder (a name with a slash, "..", a link that leads elsewhere); when a tensor is in a
// shard that the index does not name for it, or in none, or in two, or the index has it twice; and when a shard is no
// safetensors file (files/safetensors.h). "metadata" is not needed, and not believed.
#pragma once
#include "files/safetensors.h"

enum {
    WEIGHTS_MAX_INDEX = 1 << 27, // bytes
    WEIGHTS_MAX_SHARDS = 512,
};

typedef struct {
    const char *name;
    int shard;
    const SafetensorsEntry *entry;
} WeightsTensor;

typedef struct {
    const char *path;
    Safetensors *shards; // in the order of their names
    int shard_count;
    WeightsTensor *tensors; // sorted by name
    int count;
} Weights;

// Opens a folder or a file; only headers are read. Names, shapes and notes are the arena's.
#define weights_open(arena, path) weights_open_at(HERE, arena, path)
Weights weights_open_at(Place place, Arena *arena, const char *path);
void weights_close(Weights *weights); // it has no tensors any more

const WeightsTensor *weights_find(const Weights *weights, const char *name); // NULL when there is none

// A tensor (F32, F16 or BF16) of this shape where it lies in its file; [cols] does for 1 × cols. Anything else stops the program
// with the file, the tensor, and both shapes.
#define weights_stored(weights, name, rows, cols) weights_stored_at(HERE, weights, name, rows, cols)
Stored weights_stored_at(Place place, const Weights *weights, const char *name, int rows, int cols);

// The same as a matrix of its own, as floats.
#define weights_matrix(arena, weights, name, rows, cols)                                                     \
    weights_matrix_at(HERE, arena, weights, name, rows, cols)
Matrix weights_matrix_at(Place place, Arena *arena, const Weights *weights, const char *name, int rows,
                         int cols);

// Stops the program unless all files are as they were when they were opened. After using what weights_stored gave.
#define weights_check(weights) weights_check_at(HERE, weights)
void weights_check_at(Place place, const Weights *weights);

// Writes the tensors into a folder, which is made when it is not there: in the order of the list, into as many shards as are
// needed for each to hold at most most_bytes of numbers (a larger tensor has a shard for itself), and the index; or
// model.safetensors when one file is enough. Each file has the note "format": "pt", which other programs ask for.
//
// The index gets its name last, and a model of the other layout that lay there is removed after that. Until then another index
// may lie beside new shards: a folder in use is not the place to write to.
#define weights_write(folder, items, count, most_bytes)                                                      \
    weights_write_at(HERE, folder, items, count, most_bytes)
void weights_write_at(Place place, const char *folder, const SafetensorsStoredItem *items, int count,
                      size_t most_bytes);
