// beam.c: beam search. See beam.h.
#include "models/beam.h"
#include "base/check.h"
#include "base/mathf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A live hypothesis continued by a token.
typedef struct {
    double log_probability;
    const int *before; // the tokens of the hypothesis, `length` of them
    int length, token, row;
} Candidate;

static int compare_tokens(const int *a, const int *b, int count)
{
    for (int i = 0; i < count; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

// The likelier first; of equal ones the lower tokens. All have one length.
static int by_probability(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->log_probability != y->log_probability) return x->log_probability > y->log_probability ? -1 : 1;
    const int order = compare_tokens(x->before, y->before, x->length);
    return order ? order : (x->token > y->token) - (x->token < y->token);
}

static int by_score(const void *a, const void *b)
{
    const Hypothesis *x = a, *y = b;
    if (x->finished != y->finished) return x->finished ? -1 : 1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    const int order = compare_tokens(x->tokens, y->tokens, int_min(x->length, y->length));
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

// The candidates that stay are a heap whose root is the worst of them.
static void sift_down(Candidate *heap, int count, int at)
{
    for (;;) {
        int worst = at;
        for (int child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (by_probability(&heap[child], &heap[worst]) > 0) worst = child;
        if (worst == at) return;
        const Candidate other = heap[at];
        heap[at] = heap[worst], heap[worst] = other;
        at = worst;
    }
}

// Keeps the best `most` of those that are offered; returns how many there are now.
static int offer(Candidate *heap, int count, int most, const Candidate *candidate)
{
    if (count < most) {
        heap[count++] = *candidate;
        if (count == most)
            for (int at = count / 2 - 1; at >= 0; at--) sift_down(heap, count, at);
    } else if (by_probability(candidate, &heap[0]) < 0) {
        heap[0] = *candidate;
        sift_down(heap, count, 0);
    }
    return count;
}

// The live hypotheses of all sequences.
typedef struct {
    int count, length;
    int *tokens;              // [count · length]
    int *parents, *sequences; // [count]
    double *log_probabilities;
} Beam;

static Beam beam_new(Place place, Arena *arena, int most, int length)
{
    const size_t rows = (size_t)most;
    return (Beam){.length = length,
                  .tokens =
                      arena_alloc_at(place, arena, size_product(place, rows, (size_t)length), sizeof(int)),
                  .parents = arena_alloc_at(place, arena, rows, sizeof(int)),
                  .sequences = arena_alloc_at(place, arena, rows, sizeof(int)),
                  .log_probabilities = arena_alloc_at(place, arena, rows, sizeof(double))};
}

static void look_at_row(Place place, Matrix log_probabilities, const Beam *beam, int row)
{
    for (int j = 0; j < log_probabilities.cols; j++) {
        const float p = AT(log_probabilities, row, j);
        check_at(place, p < INFINITY, "look for a division by 0 or a learning rate that was too large",
                 "beam_search: the log probability of token %d after %d tokens of sequence %d is %g", j,
                 beam->length, beam->sequences[row], (double)p);
    }
}

// The best `most` continuations of the rows first … first + rows − 1, in order; returns how many.
static int best_continuations(Place place, Candidate *best, int most, const Beam *beam, int first, int rows,
                              Matrix log_probabilities)
{
    int count = 0;
    for (int row = first; row < first + rows; row++) {
        look_at_row(place, log_probabilities, beam, row);
        for (int token = 0; token < log_probabilities.cols; token++) {
            const float p = AT(log_probabilities, row, token);
            if (p == -INFINITY) continue;
            const Candidate c = {.log_probability = beam->log_probabilities[row] + (double)p,
                                 .before = beam->tokens + (size_t)row * (size_t)beam->length,
                                 .length = beam->length,
                                 .token = token,
                                 .row = row};
            count = offer(best, count, most, &c);
        }
    }
    qsort(best, (size_t)count, sizeof *best, by_probability);
    return count;
}

static void copy_tokens(int *to, const Candidate *c)
{
    if (c->length) memcpy(to, c->before, (size_t)c->length * sizeof *to);
    to[c->length] = c->token;
}

static void set_aside(Place place, Arena *arena, BeamResult *result, const Candidate *c,
                      BeamSettings settings)
{
    Hypothesis *h = &result->hypotheses[result->count++];
    int *tokens = arena_alloc_at(place, arena, (size_t)c->length + 1, sizeof *tokens);
    copy_tokens(tokens, c);
    *h = (Hypothesis){.tokens = tokens, .length = c->length + 1, .finished = c->token == settings.end};
    const float longer = (float)(5 + h->length) / 6.0f;
    h->log_probability = c->log_probability;
    h->score = settings.length_penalty > 0.0f
                   ? h->log_probability / (double)exp32(settings.length_penalty * log32(longer))
                   : h->log_probability;
}

static void go_on(Beam *next, const Candidate *c, int sequence)
{
    const int row = next->count++;
    copy_tokens(next->tokens + (size_t)row * (size_t)next->length, c);
    next->parents[row] = c->row;
    next->sequences[row] = sequence;
    next->log_probabilities[row] = c->log_probability;
}

static void check_settings(Place place, int batch, int vocabulary, BeamSettings s)
{
    check_at(place, batch >= 1 && vocabulary >= 1, "give at least one sequence and one token",
             "beam_search: %d sequences, a vocabulary of %d", batch, vocabulary);
    check_at(place, s.width >= 1 && s.width <= BEAM_MOST_WIDTH && s.limit >= 1, "1 is greedy decoding",
             "beam_search: width %d, limit %d; a width from 1 to %d and a limit of 1 or more are possible",
             s.width, s.limit, BEAM_MOST_WIDTH);
    check_at(place, s.end >= -1 && s.end < vocabulary, "a token from 0 to the vocabulary − 1, or −1 for none",
             "beam_search: end token %d of a vocabulary of %d", s.end, vocabulary);
    check_at(place, s.length_penalty >= 0.0f && isfinite(s.length_penalty), "0.6 is usual, 0 is none",
             "beam_search: length penalty %g", (double)s.length_penalty);
}

BeamResult *beam_search_at(Place place, Arena *arena, int batch, int vocabulary, BeamSettings settings,
                           BeamStep *step, void *context)
{
    check_settings(place, batch, vocabulary, settings);
    BeamResult *results = arena_zeros_at(place, arena, (size_t)batch, sizeof *results);
    for (int b = 0; b < batch; b++)
        results[b].hypotheses =
            arena_alloc_at(place, arena, (size_t)settings.width, sizeof *results[b].hypotheses);
    Arena *scratch[2] = {arena_new(), arena_new()}; // of this step and of the next
    Beam beam = beam_new(place, scratch[0], batch, 0);
    beam.count = batch;
    for (int b = 0; b < batch; b++) beam.sequences[b] = b, beam.log_probabilities[b] = 0.0;
    for (int length = 0; length < settings.limit && beam.count; length++) {
        Arena *now = scratch[length % 2], *later = scratch[(length + 1) % 2];
        Matrix log_probabilities = matrix_uninitialised_at(place, now, beam.count, vocabulary);
        const BeamState state = {beam.count, length, beam.tokens, length ? beam.parents : NULL,
                                 beam.sequences};
        step(context, log_probabilities, &state);
        const int most = (int)size_product(place, (size_t)batch, (size_t)settings.width);
        const long candidates = (long)beam.count * vocabulary;
        Beam next = beam_new(place, later, candidates < most ? (int)candidates : most, length + 1);
        Candidate *best = arena_alloc_at(place, now, (size_t)settings.width, sizeof *best);
        for (int first = 0, rows; first < beam.count; first += rows) {
            const int sequence = beam.sequences[first];
            BeamResult *result = &results[sequence];
            for (rows = 1; first + rows < beam.count && beam.sequences[first + rows] == sequence;) rows++;
            const int count = best_continuations(place, best, settings.width - result->count, &beam, first,
                                                 rows, log_probabilities);
            for (int i = 0; i < count; i++) {
                if (best[i].token == settings.end || length + 1 == settings.limit)
                    set_aside(place, arena, result, &best[i], settings);
                else
                    go_on(&next, &best[i], sequence);
            }
        }
        beam = next;
        arena_reset(now);
    }
    for (int b = 0; b < batch; b++)
        qsort(results[b].hypotheses, (size_t)results[b].count, sizeof *results[b].hypotheses, by_score);
    arena_free(scratch[0]), arena_free(scratch[1]);
    return results;
}
