// safetensors.h: named arrays in a file, and checkpoints from which training goes on as if it had never
// stopped.
//
//     safetensors_save("model.safetensors", &parameters, NULL, 0);
//     safetensors_load("model.safetensors", &parameters);
//     checkpoint_save("run.safetensors", &optimiser, &rng, 1, step);
//     long step = checkpoint_load("run.safetensors", &optimiser, &rng, 1);
//
// The format (github.com/huggingface/safetensors, "Format"): eight bytes with the length of the header,
// lowest first; the header, a JSON object {"name": {"dtype": "F32", "shape": [784, 128], "data_offsets": [0,
// 401408]}, …} with an optional "__metadata__" of strings; then the numbers, little-endian, row by row,
// without holes.
//
// A file is read as if a stranger had written it: the length of the header is compared with the file's before
// memory is asked for; the arrays must fill the rest of the file exactly, none overlapping; names that are there
// twice, broken UTF-8 and anything else that contradicts itself stops the program with the file's name, the
// tensor, what was found and what was expected, and nothing has been loaded. What the reference implementation
// allows is allowed: white space around the header, "__metadata__": null, keys of a tensor that are not known.
//
// Editions of the format add element types. One that is not known here is listed like the others, with the bytes
// that its offsets name; only asking for its numbers is refused. Types may be narrower than a byte (F4: two in a
// byte); the bits of a tensor must fill whole bytes.
//
// What the reader would refuse is not written: names and notes that are not UTF-8, empty or there twice, a
// parameter named "__metadata__", more tensors than are read. Writing goes to a temporary name first
// (base/replace.h).
#pragma once
#include "base/replace.h"
#include "learning/optim.h"
#include "learning/parameters.h"

enum {
    SAFETENSORS_MAX_HEADER = 100000000, // bytes, as in the reference implementation
    SAFETENSORS_MAX_TENSORS = 1 << 20,
    SAFETENSORS_MAX_RANK = 64, // dimensions, as many as other libraries have at most
};

typedef struct {
    const char *key, *value;
} SafetensorsNote;

typedef struct {
    const char *name;
    const char *dtype; // "F32", "BF16", "I64", …
    int rank;
    const size_t *shape;       // [rank]
    const unsigned char *data; // not aligned: copy it
    size_t bytes, begin;       // length, and distance from the first array of the file
} SafetensorsEntry;

typedef struct {
    const char *path;
    SafetensorsEntry *entries; // sorted by name
    int count;
    SafetensorsNote *notes; // "__metadata__"
    int note_count;
} Safetensors;

// Reads a whole file into the arena.
#define safetensors_open(arena, path) safetensors_open_at(HERE, arena, path)
Safetensors safetensors_open_at(Place place, Arena *arena, const char *path);

const SafetensorsEntry *safetensors_find(const Safetensors *file,
                                         const char *name);             // NULL when there is none
const char *safetensors_note(const Safetensors *file, const char *key); // NULL when there is none

// A tensor of dtype F32 as a matrix of its own: a vector is (1 × n), more than two dimensions are joined but
// for the last.
#define safetensors_matrix(arena, file, name) safetensors_matrix_at(HERE, arena, file, name)
Matrix safetensors_matrix_at(Place place, Arena *arena, const Safetensors *file, const char *name);

// All parameters as F32 of shape [rows, cols], sorted by name. notes may be NULL. Numbers that are not finite are
// written and read like others.
#define safetensors_save(path, set, notes, note_count) safetensors_save_at(HERE, path, set, notes, note_count)
void safetensors_save_at(Place place, const char *path, const Parameters *set, const SafetensorsNote *notes,
                         int note_count);

// The same for a program that has something to put in order when the disk is full: false, and file->problem and
// file->remedy say why. What could not be read again still stops the program.
bool safetensors_try_save_at(Place place, const char *path, const Parameters *set,
                             const SafetensorsNote *notes, int note_count, Replacement *file);

// The file must hold exactly the parameters of the set, F32, in their shapes ([n] does for 1 × n).
#define safetensors_load(path, set) safetensors_load_at(HERE, path, set)
void safetensors_load_at(Place place, const char *path, Parameters *set);
void safetensors_fill_at(Place place, const Safetensors *file, Parameters *set); // from a file that is open

// Parameters, the optimiser's moments and counters, generators and the number of the next step. The program
// that loads a checkpoint makes the model and the optimiser first, as when it began.
#define checkpoint_save(path, optimiser, rngs, rng_count, step)                                              \
    checkpoint_save_at(HERE, path, optimiser, rngs, rng_count, step)
#define checkpoint_load(path, optimiser, rngs, rng_count)                                                    \
    checkpoint_load_at(HERE, path, optimiser, rngs, rng_count)
void checkpoint_save_at(Place place, const char *path, const Optimiser *optimiser, const Rng *rngs,
                        int rng_count, long step);
long checkpoint_load_at(Place place, const char *path, Optimiser *optimiser, Rng *rngs, int rng_count);
