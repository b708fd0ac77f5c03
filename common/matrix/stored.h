// stored.h: a matrix as a file keeps it, in 32, 16 or 8 bits an element, to be used where it lies.
//
//     Stored weight = safetensors_stored(&file, "model.layers.0.mlp.up_proj.weight");   // a view of the file, BF16
//     float row[1024];
//     stored_row(row, weight, 17);
//
// The kinds, by what an element is:
//     F32   a float
//     F16   1 bit of sign, 5 of exponent, 10 of fraction (IEEE 754 binary16): ±65504 at most, steps of 2⁻²⁴ at least
//     BF16  the upper half of a float: 8 bits of exponent, so no overflow that a float has not, and 7 of fraction
//
// From them to floats nothing is lost. Floats become the nearest number of the kind; of two that are equally near the one
// whose last bit is 0, beyond the largest by half a step or more infinity, and a NaN stays a NaN.
#pragma once
#include "matrix/matrix.h"

typedef enum { STORED_F32, STORED_F16, STORED_BF16 } StoredKind;

// Row-major without gaps, at any address: in a file nothing is aligned. Owns nothing.
typedef struct {
    int rows, cols;
    StoredKind kind;
    const void *data;
} Stored;

size_t stored_element_bytes(StoredKind kind);
const char *stored_kind_name(StoredKind kind); // "F32", "F16", "BF16", as in safetensors files
static inline size_t stored_size(Stored m) { return (size_t)m.rows * (size_t)m.cols; } // how many elements
static inline size_t stored_bytes(Stored m) { return stored_size(m) * stored_element_bytes(m.kind); }

// ---- One number --------------------------------------------------------------------------------------------------------

float half_to_float(uint16_t half);
uint16_t float_to_half(float value);
float bfloat16_to_float(uint16_t bfloat16);
uint16_t float_to_bfloat16(float value);

// ---- To and from floats --------------------------------------------------------------------------------------------------

// The elements of row i as floats: out[cols].
void stored_row(float *out, Stored m, int i);

// All of it: out (rows × cols).
#define stored_expand(out, m) stored_expand_at(HERE, out, m)
void stored_expand_at(Place place, Matrix out, Stored m);

// m rounded to a kind; the elements live in the arena.
#define stored_from(arena, m, kind) stored_from_at(HERE, arena, m, kind)
Stored stored_from_at(Place place, Arena *arena, Matrix m, StoredKind kind);
