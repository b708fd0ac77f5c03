// Exercises of chapter 17, Transformer: what each task takes and gives back. Do not edit: write in exercise.c.
//
// T queries, S keys, d the width of a head, C columns (even), K classes, V tokens; S and V are at most MOST, lists at most MOST long.
// Whole numbers stand in matrices of float. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MOST = 64 };

// TASK 17.1  Cross-entropy with smoothed labels: the mean over the rows that count of −Σ_j t_j log p_j, where p is the softmax
// of the row and t is epsilon / K everywhere and 1 − epsilon more at the label. A label of −1 is padding: its row does not count;
// at least one row counts. logits (N × K), as large as ±10 000; labels (1 × N); 0 ≤ epsilon ≤ 1.
float smoothed_loss(Matrix logits, Matrix labels, float epsilon);

// TASK 17.2  The sinusoidal position of place t + step from that of place t, without being told t. now, later (1 × C): columns
// 2j and 2j + 1 are sine and cosine of t / 10000^(2j/C). step is from −1000 to 1000.
void step_position(/* out */ Matrix later, Matrix now, int step);

// TASK 17.3  One head of cross-attention with padding anywhere: out (T × d) = softmax(q·kᵀ / √d) · v over the keys that are seen,
// those where mask (1 × S) is 1; it is 0 where a key is padding. If none is seen, all of out is 0. Scores may be as large as ±10 000.
// q (T × d), k, v (S × d)
void padded_attention(/* out */ Matrix out, Matrix q, Matrix k, Matrix v, Matrix mask);

// TASK 17.4  One step of a beam search: of all continuations of the hypotheses by a token the `width` likeliest, the likeliest
// first; of equally likely ones the one of the earlier hypothesis, then that with the lower token. totals (1 × H): the log
// probability of each hypothesis; steps (H × V): those of its next token, −∞ for a token that is impossible and is never taken.
// Row i of picked (width × 2) receives hypothesis and token of the i-th; rows behind the last receive −1. Returns how many there are.
int beam_step(/* out */ Matrix picked, Matrix totals, Matrix steps, int width);

// TASK 17.5  BLEU of one candidate (1 × n) against one reference (1 × m), lists of tokens, 1 ≤ n, m: e^(1 − m/n) when n < m, else 1,
// times the geometric mean of the clipped precisions of 1-grams to order-grams, 1 ≤ order ≤ 4. A candidate without
// matches, or without n-grams, of some length: 0.
float bleu(Matrix candidate, Matrix reference, int order);
