// bleu.c: BLEU. See bleu.h.
#include "learning/bleu.h"
#include "base/arena.h"
#include "base/check.h"
#include "base/mathf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// The n-grams of a text in rising order, each by its first token.
typedef struct {
    const int **grams;
    int count;
} Grams;

static int compare_grams(const int *a, const int *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

// Merge sort, because qsort does not tell its comparison how long an n-gram is.
static void sort_grams(const int **grams, const int **spare, int count, int n)
{
    if (count < 2) return;
    const int half = count / 2;
    sort_grams(grams, spare, half, n);
    sort_grams(grams + half, spare, count - half, n);
    memcpy(spare, grams, (size_t)count * sizeof *grams);
    for (int to = 0, a = 0, b = half; to < count; to++) {
        const bool left = b == count || (a < half && compare_grams(spare[a], spare[b], n) <= 0);
        grams[to] = left ? spare[a++] : spare[b++];
    }
}

static Grams grams_of(Arena *arena, BleuText text, int n)
{
    Grams g = {.count = text.count >= n ? text.count - n + 1 : 0};
    g.grams = arena_alloc(arena, (size_t)g.count, sizeof *g.grams);
    const int **spare = arena_alloc(arena, (size_t)g.count, sizeof *spare);
    for (int i = 0; i < g.count; i++) g.grams[i] = text.tokens + i;
    sort_grams(g.grams, spare, g.count, n);
    return g;
}

// How many n-grams from here on are equal to this one.
static int run_length(const Grams *g, int at, const int *gram, int n)
{
    int length = 0;
    while (at + length < g->count && compare_grams(g->grams[at + length], gram, n) == 0) length++;
    return length;
}

// Both are in order, so one walk finds the pairs. at [references]: where each reference's walk stands.
static int64_t clipped_matches(Arena *arena, const Grams *candidate, const Grams *references, int count,
                               int n)
{
    int *at = arena_zeros(arena, (size_t)count, sizeof *at);
    int64_t matches = 0;
    for (int i = 0, times; i < candidate->count; i += times) {
        const int *gram = candidate->grams[i];
        times = run_length(candidate, i, gram, n);
        int most = 0;
        for (int r = 0; r < count; r++) {
            while (at[r] < references[r].count && compare_grams(references[r].grams[at[r]], gram, n) < 0)
                at[r]++;
            most = int_max(most, run_length(&references[r], at[r], gram, n));
        }
        matches += int_min(times, most);
    }
    return matches;
}

static int nearest_length(int length, const BleuText *references, int count)
{
    int best = references[0].count;
    for (int r = 1; r < count; r++) {
        const int far = abs(references[r].count - length), best_far = abs(best - length);
        if (far < best_far || (far == best_far && references[r].count < best)) best = references[r].count;
    }
    return best;
}

void bleu_count_at(Place place, Bleu *bleu, BleuText candidate, const BleuText *references, int count)
{
    check_at(place, count >= 1, "give what a person wrote", "bleu_count: %d references", count);
    check_at(place, candidate.count >= 0, "a text has 0 tokens or more",
             "bleu_count: a candidate of %d tokens", candidate.count);
    for (int r = 0; r < count; r++)
        check_at(place, references[r].count >= 0, "a text has 0 tokens or more",
                 "bleu_count: reference %d has %d tokens", r, references[r].count);
    Arena *arena = arena_new();
    Grams *grams = arena_alloc(arena, (size_t)count, sizeof *grams);
    for (int n = 1; n <= BLEU_ORDER; n++) {
        const Grams own = grams_of(arena, candidate, n);
        for (int r = 0; r < count; r++) grams[r] = grams_of(arena, references[r], n);
        bleu->matches[n - 1] += clipped_matches(arena, &own, grams, count, n);
        bleu->all[n - 1] += own.count;
    }
    bleu->candidate_length += candidate.count;
    bleu->reference_length += nearest_length(candidate.count, references, count);
    arena_free(arena);
}

double bleu_precision(const Bleu *bleu, int n)
{
    check(n >= 1 && n <= BLEU_ORDER, "n-grams of length 1 … 4 are counted", "bleu_precision: n is %d", n);
    return bleu->all[n - 1] ? (double)bleu->matches[n - 1] / (double)bleu->all[n - 1] : 0.0;
}

double bleu_brevity(const Bleu *bleu)
{
    if (bleu->candidate_length >= bleu->reference_length) return 1.0;
    if (!bleu->candidate_length) return 0.0;
    return (double)exp32((float)(1.0 - (double)bleu->reference_length / (double)bleu->candidate_length));
}

double bleu_score(const Bleu *bleu)
{
    if (!bleu->candidate_length && !bleu->reference_length) return NAN;
    double product = 1.0;
    for (int n = 1; n <= BLEU_ORDER; n++) product *= bleu_precision(bleu, n);
    return bleu_brevity(bleu) * sqrt(sqrt(product)); // the fourth root
}
