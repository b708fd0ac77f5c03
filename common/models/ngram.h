// ngram.h: counting as a model of language: how often did each symbol follow the last few? The honest baseline of
// every network that predicts the next symbol.
//
//     Ngram *counts = ngram_new(arena, ids, length, alphabet.size, 5);
//     double bits = ngram_bits(counts, 5, held_out, 0, held_out_length);      // per symbol
//
// The probability of the symbol c after the history h mixes what was counted with what a history shorter by one says,
// by the rule of Witten and Bell (IEEE Transactions on Information Theory 37, 1991, method C):
//
//     P(c | h) = (count(h c) + d(h) · P(c | h')) / (count(h ·) + d(h))
//
// where d(h) is how many different symbols followed h, and h' is h without its first symbol. Below the empty history
// stands 1 / symbols. A history that never occurred leaves the shorter one's answer as it is.
#pragma once
#include "base/arena.h"

enum { NGRAM_MOST_SYMBOLS = 255, NGRAM_MOST_ORDER = 7 };

typedef struct Ngram Ngram;

// Counts a text: ids [count], each from 0 to symbols − 1; histories of up to order − 1 symbols.
#define ngram_new(arena, ids, count, symbols, order) ngram_new_at(HERE, arena, ids, count, symbols, order)
Ngram *ngram_new_at(Place place, Arena *arena, const int *ids, size_t count, int symbols, int order);

// P(ids[t] | the order − 1 symbols before it, or as many as there are). 1 ≤ order ≤ that of the model.
#define ngram_probability(model, order, ids, t) ngram_probability_at(HERE, model, order, ids, t)
double ngram_probability_at(Place place, const Ngram *model, int order, const int *ids, size_t t);

// The mean of −log₂ P over ids[first] … ids[count − 1]; what stands before `first` serves as history only.
#define ngram_bits(model, order, ids, first, count) ngram_bits_at(HERE, model, order, ids, first, count)
double ngram_bits_at(Place place, const Ngram *model, int order, const int *ids, size_t first, size_t count);
