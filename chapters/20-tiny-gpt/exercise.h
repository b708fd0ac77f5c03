// Exercises of chapter 20, A tiny GPT: what each task takes and gives back. Do not edit: write in exercise.c.
//
// V tokens, T positions, C the width of the residual stream. A row of probabilities sums to 1.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_TIME = 32, MAX_WIDTH = 64 };

// TASK 20.1  How many bits for each character a model needs for a text: the sum of −log₂ P(label) over the positions that count,
// divided by the number of characters (at least 1). P is the softmax of the position's row. logits (T × V), as large as ±10 000;
// labels (1 × T): the number of the token that follows, or −1 for a position that does not count.
float bits_per_character(Matrix logits, Matrix labels, int characters);

// TASK 20.2  Keeps the k most likely tokens, 1 ≤ k ≤ V: all others become 0, and what is left is divided by its sum.
// Of equally likely tokens the one with the lower number counts as the more likely. p (1 × V) is changed.
void keep_top_k(/* in/out */ Matrix p, int k);

// TASK 20.3  The nucleus: keeps the fewest of the most likely tokens whose probabilities sum to at least top_p
// (0 < top_p < 1), or all of them when rounding leaves their sum below it; all others become 0, and what is left is divided by its
// sum. Among equals as in 20.2. p (1 × V) is changed.
void keep_nucleus(/* in/out */ Matrix p, float top_p);

// TASK 20.4  Draws a token with a random number that is given, 0 ≤ uniform < 1: the first token at which the sum of the
// probabilities so far is above uniform. When rounding keeps all sums at or below it: the last token that is possible at all.
int draw(Matrix p, float uniform);

// TASK 20.5  One block of a decoder without biases and gains, for one sequence. With norm(x) dividing each row by
// √(mean of its squares + 1e-5):
//     x ← x + attention(norm(x) · qkv) · out          causal, with so many heads, scores divided by √(C / heads)
//     x ← x + max(0, norm(x) · up) · down
// Scores may be as large as ±20 000. x (T × C) is changed, T ≤ MAX_TIME, C ≤ MAX_WIDTH; qkv (C × 3C): first the columns of all
// queries, then of the keys, then of the values, within each head after head; out (C × C), up (C × H), down (H × C).
void decoder_block(/* in/out */ Matrix x, Matrix qkv, Matrix out, Matrix up, Matrix down, int heads);
