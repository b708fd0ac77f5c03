// beam.h: beam search: the likely sequences that a model of the next token writes, of a whole batch at once.
//
//     static void step(void *context, Matrix log_probabilities, const BeamState *state) { … }
//     …
//     const BeamSettings settings = {.width = 4, .limit = 20, .end = 0};
//     BeamResult *best = beam_search(arena, 1, 96, settings, step, &model);
//     best[0].hypotheses[0].tokens                                  // the best one for sequence 0, its end token included
//
// A hypothesis is a sequence of tokens, and its log probability the sum of what the model gave each of them. In every step each
// live hypothesis is continued by each token of the vocabulary; of all continuations of a sequence the likeliest stay, as many
// as the beam is still wide. One that ends with the end token is finished: it is set aside, and the beam of its sequence
// narrows by one (Bahdanau, Cho and Bengio 2014; Sutskever, Vinyals and Le 2014, section 3.2). The search of a
// sequence is over when its beam has the width 0, when nothing can be continued, or at the limit.
//
// So a width of 1 is greedy decoding, and a width of at least the number of all sequences up to the limit finds what going
// through all of them finds (tests/unit/test_beam.c). Between the two nothing is promised: a wider beam may give a less likely
// answer than a narrow one.
//
// Of equal log probabilities the hypothesis whose first different token is the lower comes first, and stays; the order does not
// depend on threads. Log probabilities are added up in double, from the first token to the last.
#pragma once
#include "matrix/matrix.h"

enum { BEAM_MOST_WIDTH = 1 << 16 };

typedef struct {
    int width;            // ≥ 1
    int limit;            // ≥ 1: the most tokens of a hypothesis, the end token counted
    int end;              // the token that ends a hypothesis; −1: none does, all go to the limit
    float length_penalty; // α ≥ 0 of Wu et al. 2016, eq. 14; 0: none
} BeamSettings;

// What the model is asked to continue: the live hypotheses, those of a sequence beside each other, the likeliest first.
typedef struct {
    int count, length; // rows; tokens that each has so far
    const int *tokens; // [count · length]
    const int *
        parents; // [count] which row of the step before each continues: how to put a cache in order. NULL in the first
    const int *sequences; // [count] of the batch; in the first step 0, 1, …
} BeamState;

// Writes the log probabilities of the next token, (count × V). −∞ is never chosen. They need not be normalised. A NaN or
// +∞ comes from a model that has diverged: the search stops the program and says which.
typedef void BeamStep(void *context, Matrix log_probabilities, const BeamState *state);

typedef struct {
    const int *tokens; // [length], the end token included
    int length;
    bool finished;          // by the end token; false: cut off at the limit
    double log_probability; // Σ log p(token | those before it)
    double score;           // log_probability / ((5 + length) / 6)^α: what finished ones are ranked by
} Hypothesis;

typedef struct {
    int count;              // ≤ width; 0 when everything had the probability 0
    Hypothesis *hypotheses; // finished ones first, in each part the best score first; of equal ones as above
} BeamResult;

// One result for each sequence of the batch, [batch]. All that is returned lives in the arena.
#define beam_search(arena, batch, vocabulary, ...) /* settings, step, context */                             \
    beam_search_at(HERE, arena, batch, vocabulary, __VA_ARGS__)
BeamResult *beam_search_at(Place place, Arena *arena, int batch, int vocabulary, BeamSettings settings,
                           BeamStep *step, void *context);
