// stored.h: a matrix in 32, 16 or 8 bits an element, used where it lies, without a copy of it as floats.
//
//     Stored weight = weights_stored(&weights, "model.layers.0.mlp.up_proj.weight", 3072, 1024);   // BF16, in the file
//     stored_matmul_nt(hidden, x, weight);                              // hidden = x · weightᵀ, x (N × 1024)
//     Stored small = stored_quantise(arena, up);                        // int8, a quarter of the floats
//
// Chapter 28 answers with the weights of a file in this way, chapter 32 makes them smaller. Why it pays: a model that writes one
// token after the other multiplies each weight by one number and does not look at it again until the next token, so it waits for
// memory more than it computes, and fewer bytes are more tokens. They become floats on the way: with few rows of x in registers,
// with many in a block that stays in the cache. `make bench NAME=stored` measures products, NAME=decode whole models.
//
// On an AMD EPYC (Zen 5), one core of which reads 27 to 41 GB a second, weights of 288 to 3072 columns, made by stored_convert
// and stored_quantise, passed one row of x at 0.89 to 1.0 of that bandwidth in F32, 0.76 to 1.2 in BF16 and 0.83 to 1.0 in INT8
// (medians of 11 to 15 pairs in a run, on a machine with other work). On an EPYC with vector units half as wide (Zen 4; 28 GB a
// second on one thread, 52 on two) a model of 600 million passed at 0.95 to 1.07 in F32, 0.87 to 0.96 in BF16 and 0.85 to 0.86
// in INT8. As they lie in a file, row by row, it was 0.50 to 0.64 in F32, 0.50 to 0.66 in BF16 and 0.39 to 0.52 in F16. There
// 32 rows are read at once, a line of the cache from each in turn, and plain reading in that order got 13 to 14 GB a second
// where 8 or 16 rows gave 22 to 28.
//
// The kinds, by what an element is:
//     F32   a float
//     F16   1 bit of sign, 5 of exponent, 10 of fraction (IEEE 754 binary16): ±65504 at most, steps of 2⁻²⁴ at least
//     BF16  the upper half of a float: 8 bits of exponent, so no overflow that a float has not, and 7 of fraction
//     INT8  a whole number from −127 to 127, times the scale of its row: symmetric, so that 0 stays 0
//
// From the first three to floats nothing is lost; of the fourth, the product with the scale is rounded. Floats become the nearest
// number of the kind; of two that are equally near the one whose last bit is 0, beyond the largest by half a step or more
// infinity, and a NaN stays a NaN.
#pragma once
#include "matrix/matrix.h"

typedef enum { STORED_F32, STORED_F16, STORED_BF16, STORED_INT8 } StoredKind;

// Row-major without gaps, at any address: in a file nothing is aligned. Or, in memory of our own, in strips of STORED_STRIP
// rows that a product of few rows reads faster: in a strip column stands behind column, so element (i, j) is number
// (i / 32) · 32 · cols + 32 · j + i mod 32. Rows of zeros fill the last strip. Owns nothing.
enum { STORED_STRIP = 32 };
typedef struct {
    int rows, cols;
    StoredKind kind;
    const void *data;
    const float *scale; // INT8: [rows], and as many as fill the strips; else NULL
    bool strips;        // else row-major
} Stored;

size_t stored_element_bytes(StoredKind kind);
const char *stored_kind_name(StoredKind kind); // "F32", "F16", "BF16", "I8", as in safetensors files
static inline size_t stored_size(Stored m) { return (size_t)m.rows * (size_t)m.cols; } // how many elements
static inline size_t stored_padded_rows(Stored m)
{
    const size_t rows = (size_t)m.rows, strip = STORED_STRIP;
    return m.strips ? (rows + strip - 1) / strip * strip : rows;
}
static inline size_t stored_bytes(Stored m) // that stand at data
{
    return stored_padded_rows(m) * (size_t)m.cols * stored_element_bytes(m.kind);
}

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

// Row indices[i] of m as row i of out (count × cols): the vectors of tokens. A number that is no row stops the program.
#define stored_gather_rows(out, m, indices) stored_gather_rows_at(HERE, out, m, indices)
void stored_gather_rows_at(Place place, Matrix out, Stored m, const int *indices);

// m rounded to F32, F16 or BF16, row-major as files want it; the elements live in the arena.
#define stored_from(arena, m, kind) stored_from_at(HERE, arena, m, kind)
Stored stored_from_at(Place place, Arena *arena, Matrix m, StoredKind kind);

// m in INT8, in strips: scale_i is the smallest float that is at least max_j |m_ij| / 127, element (i, j) the whole number nearest to
// m_ij / scale_i. So |m_ij − scale_i · q_ij| ≤ scale_i / 2. A row of zeros has the scale 0. Numbers that are not finite
// stop the program. (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
// Inference", 2018, have one scale and a zero point for all of a matrix; by rows, one large weight costs its own row only.)
#define stored_quantise(arena, m) stored_quantise_at(HERE, arena, m)
Stored stored_quantise_at(Place place, Arena *arena, Matrix m);

// What is stored as another kind, or the same, in strips in the arena; it goes row by row, so a table larger than memory has room
// for as floats may be one.
#define stored_convert(arena, m, kind) stored_convert_at(HERE, arena, m, kind)
Stored stored_convert_at(Place place, Arena *arena, Stored m, StoredKind kind);

// ---- Products -----------------------------------------------------------------------------------------------------------------
// Bit for bit those of matmul_nt and matmul with stored_expand's floats: one chain of fused multiply-adds for each element,
// whatever the threads and the number of rows of x. out must not overlap x.

// out (N × R) = x (N × C) · mᵀ, m (R × C): a row of m for each output, as most checkpoints have their weights. Of INT8 the chain
// goes over the whole numbers, and the sum is multiplied by its row's scale at the end.
#define stored_matmul_nt(out, x, m) stored_matmul_nt_at(HERE, out, x, m)
void stored_matmul_nt_at(Place place, Matrix out, Matrix x, Stored m);

// out (N × C) = x (N × R) · m, m (R × C): a column for each output, as GPT-2's.
#define stored_matmul(out, x, m) stored_matmul_at(HERE, out, x, m)
void stored_matmul_at(Place place, Matrix out, Matrix x, Stored m);

// The first for several matrices and one x, in one parallel region: queries, keys and values of a layer, which one after the
// other would wait for all threads three times. The matrices may be of different kinds and heights.
typedef struct {
    Matrix out; // (N × R)
    Stored m;   // (R × C)
} StoredProduct;
#define stored_matmul_nt_each(products, count, x) stored_matmul_nt_each_at(HERE, products, count, x)
void stored_matmul_nt_each_at(Place place, const StoredProduct *products, int count, Matrix x);

// The first, by its definition, in three loops: the oracle.
void stored_matmul_nt_naive(Matrix out, Matrix x, Stored m);
