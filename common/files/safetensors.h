// safetensors.h: named arrays in a file. For the parameters of a model see models/checkpoint.h.
//
//     Safetensors file = safetensors_open(arena, "model.safetensors");
//     Matrix bias = safetensors_matrix(arena, &file, "first.bias");           // a copy, as floats
//     Stored weight = safetensors_stored(&file, "first.weight");              // a view of the file, as it is there
//     …
//     safetensors_close(&file);                                               // bias stays, weight is gone
//
// A model in several files: files/weights.h.
//
// The format (github.com/huggingface/safetensors, "Format"): eight bytes with the length of the header,
// lowest first; the header, a JSON object {"name": {"dtype": "F32", "shape": [784, 128], "data_offsets": [0,
// 401408]}, …} with an optional "__metadata__" of strings; then the numbers, little-endian, row by row,
// without holes.
//
// Only the header is read; of the numbers, the system brings what is looked at (files/file_map.h).
//
// A file is untrusted input: the length of the header is compared with the file's before
// memory is asked for; the arrays must fill the rest of the file exactly, none overlapping; names that are there
// twice, broken UTF-8 and anything else that contradicts itself stops the program with the file's name, the
// tensor, what was found and what was expected, and nothing has been loaded. What the reference implementation
// allows is allowed: white space around the header, "__metadata__": null, keys of a tensor that are not known.
//
// Numbers of the types F32, F16 and BF16 are read, as floats or as they are. All others are listed with the bytes that their
// offsets name, and so are those of later editions of the format; only asking for their numbers is refused. Types may be narrower than a byte (F4: two in a
// byte); the bits of a tensor must fill whole bytes.
//
// What the reader would refuse is not written: names and notes that are not UTF-8, empty or there twice, a
// parameter named "__metadata__", more tensors than are read. Writing goes to a temporary name first
// (base/replace.h).
#pragma once
#include "base/replace.h"
#include "files/file_map.h"
#include "matrix/stored.h"

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
    const unsigned char *data; // not aligned, and there until the file is closed
    size_t bytes, begin;       // length, and distance from the first array of the file
} SafetensorsEntry;

typedef struct {
    const char *path;
    SafetensorsEntry *entries; // sorted by name
    int count;
    SafetensorsNote *notes; // "__metadata__"
    int note_count;
    FileMap *map;
} Safetensors;

// Opens a file; names, shapes and notes are the arena's. A pipe is read to its end.
#define safetensors_open(arena, path) safetensors_open_at(HERE, arena, path)
Safetensors safetensors_open_at(Place place, Arena *arena, const char *path);
void safetensors_close(Safetensors *file); // it has no tensors and no notes any more

const SafetensorsEntry *safetensors_find(const Safetensors *file,
                                         const char *name);             // NULL when there is none
const char *safetensors_note(const Safetensors *file, const char *key); // NULL when there is none

// A tensor (F32, F16 or BF16) where it lies in the file: a vector is (1 × n), more than two dimensions are joined but for the
// last.
#define safetensors_stored(file, name) safetensors_stored_at(HERE, file, name)
Stored safetensors_stored_at(Place place, const Safetensors *file, const char *name);

// The same as a matrix of its own, as floats.
#define safetensors_matrix(arena, file, name) safetensors_matrix_at(HERE, arena, file, name)
Matrix safetensors_matrix_at(Place place, Arena *arena, const Safetensors *file, const char *name);

// A matrix and its name in a file.
typedef struct {
    const char *name;
    Matrix value;
} SafetensorsItem;

// The matrices as F32 of shape [rows, cols], sorted by name, which sorts the list. notes may be NULL. Numbers that are not
// finite are written and read like others.
#define safetensors_write(path, items, count, notes, note_count)                                             \
    safetensors_write_at(HERE, path, items, count, notes, note_count)
void safetensors_write_at(Place place, const char *path, SafetensorsItem *items, int count,
                          const SafetensorsNote *notes, int note_count);

// The same for a program that has something to put in order when the disk is full: false, and file->problem and
// file->remedy say why. What could not be read again still stops the program.
bool safetensors_try_write_at(Place place, const char *path, SafetensorsItem *items, int count,
                              const SafetensorsNote *notes, int note_count, Replacement *file);

// The same for matrices in other types than float, F16 and BF16, which they keep; INT8 is refused. A vector (1 × n) is written as [n].
typedef struct {
    const char *name;
    Stored value;
    bool vector;
} SafetensorsStoredItem;

#define safetensors_write_stored(path, items, count, notes, note_count)                                      \
    safetensors_write_stored_at(HERE, path, items, count, notes, note_count)
void safetensors_write_stored_at(Place place, const char *path, SafetensorsStoredItem *items, int count,
                                 const SafetensorsNote *notes, int note_count);

// Copies the numbers into the matrices. The file must hold exactly these, F32, F16 or BF16, in their shapes ([n] does for
// 1 × n); before that is certain nothing is copied.
void safetensors_fill_at(Place place, const Safetensors *file, const SafetensorsItem *items, int count);
