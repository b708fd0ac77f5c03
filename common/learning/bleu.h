// bleu.h: BLEU, the measure of translations (Papineni et al. 2002): how many of the n-grams of what was written stand in what a
// person wrote?
//
//     Bleu bleu = {0};
//     for (…) bleu_count(&bleu, (BleuText){written, count}, references, reference_count);     // sentence after sentence
//     double score = bleu_score(&bleu);                                                       // 0 … 1; papers print it times 100
//
// Texts are tokens with numbers; what a token is (a word, a character, a piece) is the caller's choice, and scores of different
// choices cannot be compared. An n-gram of a candidate that stands in a reference matches, at most as often as in the one
// reference that has it most often (clipping). Matches and n-grams are added up over the corpus before anything is
// divided:
//
//     BLEU = brevity · (p₁ p₂ p₃ p₄)^¼      p_n = matches_n / all_n      brevity = 1 for c > r, else e^(1 − r/c)
//
// with c the length of all candidates together and r that of the references, for each candidate the one whose length is nearest
// to its own, of equally near ones the shorter. There is no smoothing: a p_n without a match is 0, and so is the
// score; so is a p_n without an n-gram, where all candidates are shorter than n. So BLEU of one short sentence says
// little. The same definition as sacrebleu's with smooth_method "none" and NLTK's corpus_bleu without a smoothing function
// (tests/reference/bleu.txt).
#pragma once
#include "base/base.h"

enum { BLEU_ORDER = 4 };

typedef struct {
    const int *tokens;
    int count;
} BleuText;

// Counts: whole numbers, so the order of counting does not matter, and two halves of a corpus can be added.
typedef struct {
    int64_t matches[BLEU_ORDER], all[BLEU_ORDER]; // n-grams of length 1 … 4
    int64_t candidate_length, reference_length;
} Bleu;

// At least one reference; texts may be empty.
#define bleu_count(bleu, ...) bleu_count_at(HERE, bleu, __VA_ARGS__) // candidate, references, count
void bleu_count_at(Place place, Bleu *bleu, BleuText candidate, const BleuText *references, int count);

double bleu_precision(const Bleu *bleu, int n); // p_n, 1 ≤ n ≤ BLEU_ORDER; 0 where there is no n-gram

// e^(1 − r/c) to 10⁻⁷, or 1; 0 when all candidates are empty and a reference is not, 1 when all texts are.
double bleu_brevity(const Bleu *bleu);

double bleu_score(const Bleu *bleu); // NaN when nothing was counted, candidates and references all empty
