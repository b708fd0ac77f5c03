// Beam search: against going through all sequences, greedy decoding, ties, batches and their caches, what cannot be written, mistakes.
#include "suite.h"
#include "base/mathf.h"
#include "base/rng.h"
#include "models/beam.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// A language without grammar: the log probabilities of a prefix are drawn from a stream that its tokens name.
enum { VOCABULARY = 3, LIMIT = 5, ALL = 400 };

typedef struct {
    uint64_t seed;
    bool ties;        // whole numbers, so that sums are often equal
    float impossible; // the fraction of tokens that are −∞
} Language;

static void next_tokens(const Language *language, float *log_probabilities, int sequence, const int *tokens,
                        int length)
{
    uint64_t name = language->seed * 1000 + (uint64_t)sequence;
    for (int t = 0; t < length; t++) name = name * 31 + (uint64_t)tokens[t] + 1;
    Rng rng = rng_new(name, 7);
    float total = 0.0f;
    for (int j = 0; j < VOCABULARY; j++) {
        const float u = rng_uniform(&rng), v = rng_uniform(&rng);
        log_probabilities[j] = v < language->impossible ? -INFINITY
                               : language->ties         ? -floorf(3.0f * u)
                                                        : 3.0f * u;
        total += exp32(log_probabilities[j]);
    }
    for (int j = 0; j < VOCABULARY && !language->ties && total > 0.0f; j++)
        log_probabilities[j] -= log32(total);
}

static void speak(void *context, Matrix log_probabilities, const BeamState *state)
{
    for (int i = 0; i < state->count; i++)
        next_tokens(context, matrix_row(log_probabilities, i), state->sequences[i],
                    state->tokens + i * state->length, state->length);
}

// All sequences of one sentence, and how they are ranked.
typedef struct {
    int tokens[LIMIT], length;
    bool finished;
    double log_probability, score;
} Written;

typedef struct {
    const Language *language;
    BeamSettings settings;
    int sequence, count;
    Written all[ALL];
} Everything;

static void write_on(Everything *e, const int *tokens, int length, double log_probability)
{
    float next[VOCABULARY];
    next_tokens(e->language, next, e->sequence, tokens, length);
    for (int j = 0; j < VOCABULARY; j++) {
        if (next[j] == -INFINITY) continue;
        Written w = {.length = length + 1, .finished = j == e->settings.end};
        memcpy(w.tokens, tokens, (size_t)length * sizeof *tokens);
        w.tokens[length] = j;
        w.log_probability = log_probability + (double)next[j];
        const double longer = pow((5.0 + w.length) / 6.0, (double)e->settings.length_penalty);
        w.score = w.log_probability / longer;
        if (w.finished || w.length == e->settings.limit) {
            ck_assert_int_lt(e->count, ALL);
            e->all[e->count++] = w;
        } else
            write_on(e, w.tokens, w.length, w.log_probability);
    }
}

static int better(const void *a, const void *b)
{
    const Written *x = a, *y = b;
    if (x->finished != y->finished) return x->finished ? -1 : 1;
    if (fabs(x->score - y->score) > 1e-9) return x->score > y->score ? -1 : 1;
    for (int t = 0; t < x->length && t < y->length; t++)
        if (x->tokens[t] != y->tokens[t]) return x->tokens[t] - y->tokens[t];
    return x->length - y->length;
}

static void expect_everything(const Language *language, BeamSettings settings, int batch)
{
    Arena *arena = arena_new();
    Language copy = *language;
    settings.width = ALL;
    const BeamResult *results = beam_search(arena, batch, VOCABULARY, settings, speak, &copy);
    Everything *e = arena_alloc(arena, 1, sizeof *e);
    for (int b = 0; b < batch; b++) {
        *e = (Everything){.language = language, .settings = settings, .sequence = b};
        write_on(e, (const int[LIMIT]){0}, 0, 0.0);
        qsort(e->all, (size_t)e->count, sizeof *e->all, better);
        ck_assert_int_eq(results[b].count, e->count);
        for (int i = 0; i < e->count; i++) {
            const Hypothesis *h = &results[b].hypotheses[i];
            const Written *w = &e->all[i];
            ck_assert_double_eq(h->log_probability, w->log_probability);
            ck_assert_double_eq_tol(h->score, w->score, 1e-5);
            ck_assert_int_eq(h->length, w->length);
            ck_assert_int_eq(h->finished, w->finished);
            ck_assert(memcmp(h->tokens, w->tokens, (size_t)w->length * sizeof(int)) == 0);
        }
    }
    arena_free(arena);
}

START_TEST(a_width_of_all_sequences_finds_what_brute_force_finds)
{
    for (uint64_t seed = 0; seed < 40; seed++)
        for (int end = -1; end < VOCABULARY; end++) {
            const BeamSettings settings = {.limit = 1 + (int)(seed % LIMIT), .end = end};
            expect_everything(&(Language){.seed = seed}, settings, 2);
            expect_everything(&(Language){.seed = seed, .ties = true}, settings, 1);
            expect_everything(&(Language){.seed = seed, .impossible = 0.4f}, settings, 1);
            expect_everything(&(Language){.seed = seed, .impossible = 0.4f, .ties = true}, settings, 2);
        }
}
END_TEST

START_TEST(a_length_penalty_ranks_as_its_formula_says)
{
    for (uint64_t seed = 0; seed < 40; seed++)
        expect_everything(&(Language){.seed = seed},
                          (BeamSettings){.limit = LIMIT, .end = 0, .length_penalty = 1.7f}, 1);
}
END_TEST

START_TEST(a_width_of_one_is_greedy)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        Language language = {.seed = seed, .ties = seed % 2};
        Arena *arena = arena_new();
        const BeamSettings settings = {.width = 1, .limit = LIMIT, .end = 2};
        const BeamResult *result = beam_search(arena, 1, VOCABULARY, settings, speak, &language);
        int tokens[LIMIT] = {0}, length = 0;
        while (length < LIMIT && (length == 0 || tokens[length - 1] != settings.end)) {
            float next[VOCABULARY];
            next_tokens(&language, next, 0, tokens, length);
            int best = 0;
            for (int j = 1; j < VOCABULARY; j++)
                if (next[j] > next[best]) best = j;
            tokens[length++] = best;
        }
        ck_assert_int_eq(result->count, 1);
        ck_assert_int_eq(result->hypotheses[0].length, length);
        ck_assert(memcmp(result->hypotheses[0].tokens, tokens, (size_t)length * sizeof *tokens) == 0);
        arena_free(arena);
    }
}
END_TEST

// A finished hypothesis stays while longer ones are searched, and takes its place in the beam with it: here "2" (0.4) is finished
// at once, and the second place goes to 0 0 …, although 1 … began likelier than what comes of it.
static void garden_path(void *context, Matrix log_probabilities, const BeamState *state)
{
    (void)context;
    for (int i = 0; i < state->count; i++) {
        float *p = matrix_row(log_probabilities, i);
        const bool begun = state->length > 0, first = begun && state->tokens[i * state->length] == 0;
        p[0] = log32(begun ? (first ? 0.5f : 0.1f) : 0.25f);
        p[1] = log32(begun ? (first ? 0.25f : 0.45f) : 0.35f);
        p[2] = log32(begun ? (first ? 0.25f : 0.45f) : 0.4f);
    }
}

START_TEST(a_finished_hypothesis_keeps_its_place)
{
    Arena *arena = arena_new();
    const BeamSettings settings = {.width = 2, .limit = 3, .end = 2};
    const BeamResult *result = beam_search(arena, 1, VOCABULARY, settings, garden_path, NULL);
    ck_assert_int_eq(result->count, 2);
    ck_assert_int_eq(result->hypotheses[0].length, 1); // "2"
    ck_assert_double_eq_tol(result->hypotheses[0].log_probability, log(0.4), 1e-6);
    // One place is left: "1", then of "1 1" and "1 2", which are equally likely, the lower
    ck_assert_int_eq(result->hypotheses[1].tokens[0], 1);
    ck_assert_int_eq(result->hypotheses[1].tokens[1], 1);
    ck_assert_int_eq(result->hypotheses[1].length, 3);
    arena_free(arena);
}
END_TEST

// A model with a memory of its own: each row's cache is the sum of its tokens, put in order by `parents`.
typedef struct {
    Language language;
    int sums[64], steps;
    bool wrong;
} Cached;

static void speak_from_a_cache(void *context, Matrix log_probabilities, const BeamState *state)
{
    Cached *c = context;
    int sums[64] = {0};
    for (int i = 0; i < state->count; i++) {
        int expected = state->sequences[i];
        for (int t = 0; t < state->length; t++) expected += (t + 1) * state->tokens[i * state->length + t];
        if (!state->length)
            c->wrong |= state->parents != NULL || state->sequences[i] != i;
        else
            sums[i] = c->sums[state->parents[i]] + state->length * state->tokens[(i + 1) * state->length - 1];
        if (!state->length) sums[i] = i;
        c->wrong |= sums[i] != expected || (i && state->sequences[i] < state->sequences[i - 1]);
    }
    memcpy(c->sums, sums, sizeof sums);
    c->steps++;
    speak(&c->language, log_probabilities, state);
}

START_TEST(parents_put_a_cache_in_order_and_batches_do_not_meet)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        Arena *arena = arena_new();
        Cached cached = {.language = {.seed = seed, .ties = seed % 3 == 0}};
        const BeamSettings settings = {.width = 4, .limit = LIMIT, .end = 1};
        const BeamResult *together = beam_search(arena, 5, VOCABULARY, settings, speak_from_a_cache, &cached);
        ck_assert(!cached.wrong);
        // The first sequence is the same alone.
        const BeamResult *alone = beam_search(arena, 1, VOCABULARY, settings, speak, &cached.language);
        ck_assert_int_eq(together->count, alone->count);
        for (int i = 0; i < alone->count; i++) {
            const Hypothesis a = together->hypotheses[i], b = alone->hypotheses[i];
            ck_assert_double_eq(a.score, b.score);
            ck_assert_int_eq(a.length, b.length);
            ck_assert(memcmp(a.tokens, b.tokens, (size_t)a.length * sizeof(int)) == 0);
        }
        arena_free(arena);
    }
}
END_TEST

START_TEST(where_nothing_is_possible_there_is_no_hypothesis)
{
    Arena *arena = arena_new();
    Language silent = {.impossible = 1.0f};
    const BeamResult *result =
        beam_search(arena, 3, VOCABULARY, (BeamSettings){.width = 2, .limit = 4, .end = 0}, speak, &silent);
    for (int b = 0; b < 3; b++) ck_assert_int_eq(result[b].count, 0);
    arena_free(arena);
}
END_TEST

static void speak_nonsense(void *context, Matrix log_probabilities, const BeamState *state)
{
    fill(log_probabilities, -1.0f);
    if (state->length == 1) AT(log_probabilities, 0, 2) = *(float *)context;
}

static void search_nonsense(void *value)
{
    beam_search(arena_new(), 1, VOCABULARY, (BeamSettings){.width = 2, .limit = 4, .end = 0}, speak_nonsense,
                value);
}

static void no_width(void *context)
{
    beam_search(context, 1, VOCABULARY, (BeamSettings){.limit = 4}, speak, NULL);
}

static void end_outside(void *context)
{
    beam_search(context, 1, VOCABULARY, (BeamSettings){.width = 1, .limit = 4, .end = VOCABULARY}, speak,
                NULL);
}

START_TEST(mistakes_are_named)
{
    float bad[] = {NAN, INFINITY};
    expect_death(search_nonsense, &bad[0],
                 "the log probability of token 2 after 1 tokens of sequence 0 is nan");
    expect_death(search_nonsense, &bad[1], "of sequence 0 is inf");
    Arena *arena = arena_new();
    expect_death(no_width, arena, "beam_search: width 0");
    expect_death(end_outside, arena, "beam_search: end token 3 of a vocabulary of 3");
    arena_free(arena);
}
END_TEST

SUITE("beam", a_width_of_all_sequences_finds_what_brute_force_finds,
      a_length_penalty_ranks_as_its_formula_says, a_width_of_one_is_greedy,
      a_finished_hypothesis_keeps_its_place, parents_put_a_cache_in_order_and_batches_do_not_meet,
      where_nothing_is_possible_there_is_no_hypothesis, mistakes_are_named)
