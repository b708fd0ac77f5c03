// Exercises of chapter 18, the tokenizer: what each task takes and gives back. Do not edit: write in exercise.c.
//
// Whole numbers stand in matrices of float, which hold them exactly up to 2²⁴. A list is a matrix of one row. A token below
// 256 is a byte; merges (M × 2) hold in row m the left and the right half of token 256 + m, in the order of learning.
// M is at most MOST_MERGES, a list at most MOST_TOKENS long, a token too.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MOST_MERGES = 400, MOST_TOKENS = 2000 };

// TASK 18.1  A character of Unicode as UTF-8: 1 byte below 0x80, 2 below 0x800, 3 below 0x10000, 4 up to 0x10FFFF. Writes
// the bytes (each 0 … 255) to bytes (1 × 4), zeros behind them, and returns how many there are. What is no character
// (below 0, above 0x10FFFF, or 0xD800 … 0xDFFF) gives four zeros and 0.
int utf8_bytes(/* out */ Matrix bytes, int character);

// TASK 18.2  The pair of neighbours that occurs most often in a list: writes its two tokens to pair (1 × 2), and returns how
// often it occurs. Every place counts: 5 5 5 is the pair (5, 5) twice. Of equally frequent pairs the one with the lower left token,
// then with the lower right token. −1 in the list is a cut and belongs to no pair. No pair at all: −1, −1 and 0.
// ids (1 × n), each −1 … 255 + MOST_MERGES
int pair_to_merge(/* out */ Matrix pair, Matrix ids);

// TASK 18.3  Replaces the neighbours left, right by made, from left to right, in the first count numbers of ids (1 × n), and
// returns how many numbers there are then. What stands behind them does not matter.
int merge_pair(/* in/out */ Matrix ids, int count, int left, int right, int made);

// TASK 18.4  Encodes one word: ids (1 × n) begins with count bytes and receives the tokens; returns how many. Of all
// neighbours that may be merged, those whose merge was learned first are merged, everywhere in the word; again until no
// merge applies.
int encode_word(/* in/out */ Matrix ids, int count, Matrix merges);

// TASK 18.5  Encodes in another way, as WordPiece does: from left to right, at each place the longest token whose bytes stand
// there; of equally long ones that with the lowest number. Writes the tokens to ids (1 × n) and returns how many; what stands
// behind them does not matter. bytes (1 × n), each 0 … 255; merges as above, in any order of lengths.
int encode_longest(/* out */ Matrix ids, Matrix bytes, Matrix merges);
