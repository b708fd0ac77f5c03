// Exercises of chapter 28, Inside a pretrained model: what each task takes and gives back. Do not edit: write in
// exercise.c.
//
// T positions, C columns; h heads of queries, g heads of keys and values, D columns each. base/mathf.h has exp32,
// log32, sin32 and cos32, and float_from_bits, which takes 32 bits for a float; sqrtf is in <math.h>. What is only
// written is overwritten, whatever it held, and is never the memory of an input.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MOST_CACHED = 64 };

// TASK 28.1  From BF16, as it stands in a file, to floats. Two bytes are a number, the lower byte first; together they
// are the upper half of a float: 1 bit sign, 8 bits exponent, 7 bits fraction. All 65536 patterns can come: −0 keeps
// its sign; with an exponent of 255, a fraction of 0 means infinity, and any other NaN, whichever; an exponent of 0 is
// that of the numbers below 2⁻¹²⁶.
// values (1 × n), bytes (1 × 2n), each 0 … 255
void bf16_to_floats(/* out */ Matrix values, Matrix bytes);

// TASK 28.2  At which byte of a safetensors file does number (row, col) of a tensor begin? The file has 8 bytes that
// say how long the header is, the header (`header` bytes of JSON), and then the numbers of all tensors. Those of our
// tensor stand from byte `begin` to just before byte `end`, counted from the end of the header: rows × cols numbers of
// `width` bytes, 2 or 4, row after row.
// Returns the place, counted from the first byte of the file, which is 0. Returns −1 when there is no such row or
// column, when header or begin is negative, or when the file lies: when end − begin is not rows · cols · width.
// All but width may be negative, and none is above 1 000 000 000. So a place always fits an int; a product need not.
int byte_of_number(int header, int begin, int end, int rows, int cols, int width, int row, int col);

// TASK 28.3  The RMS norm of each row, in its place:
//   x(t, c) ← x(t, c) / √(mean of the squares of row t + epsilon) · gain(c)
// x (T × C), gain (1 × C), epsilon > 0
void rms_norm_rows(/* in/out */ Matrix x, Matrix gain, float epsilon);

// TASK 28.4  Rotary positions, in their place. Row t of x holds `heads` heads side by side, D = x.cols / heads columns
// each, and stands at position first + t. In each head, column j < D/2 makes a pair (a, b) with column j + D/2, which
// becomes
//   (a cos φ − b sin φ, a sin φ + b cos φ),   φ = (first + t) · base^(−2j/D).
// x (T × h·D), D even; first ≥ 0, first + T ≤ 2048; 1 < base ≤ 1 000 000. Floats are exact enough: up to position 100
// an error of 10⁻⁴ of the largest element is allowed, and 10⁻³ beyond.
void rotate_heads(/* in/out */ Matrix x, int heads, int first, float base);

// TASK 28.5  One token looks back. Query head i, which stands in q from column i·D on, sees the keys and the values of
// key head ⌊i · key_heads / heads⌋, in the first `count` rows of the cache, 1 ≤ count ≤ MOST_CACHED. The weights of the
// rows are the softmax of ⟨query, key⟩ / √D, which may be as large as ±20 001; out is the sum of the values, so
// weighted. What stands in the other rows of the cache is rubbish. heads is a multiple of key_heads.
// out, q (1 × h·D); keys, values (count rows or more × g·D)
void attend_to_cache(/* out */ Matrix out, Matrix q, Matrix keys, Matrix values, int count, int heads,
                     int key_heads);
