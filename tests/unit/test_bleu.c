// BLEU by hand and against its definition in the plainest loops. tests/unit/test_reference_bleu.c has NLTK's numbers.
#include "suite.h"
#include "base/rng.h"
#include "learning/bleu.h"

#include <math.h>

#define TEXT(...) ((BleuText){(const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int)})

static Bleu one(BleuText candidate, BleuText reference)
{
    Bleu bleu = {0};
    bleu_count(&bleu, candidate, &reference, 1);
    return bleu;
}

START_TEST(the_same_text_has_a_score_of_one)
{
    const Bleu bleu = one(TEXT(3, 1, 4, 1, 5), TEXT(3, 1, 4, 1, 5));
    ck_assert_double_eq(bleu_score(&bleu), 1.0);
}
END_TEST

// Papineni et al. 2002, section 2.1: "the the the the the the the" has one 2/7 of the unigrams.
START_TEST(matches_are_clipped_by_the_reference_that_has_most)
{
    const BleuText references[] = {TEXT(0, 1, 2, 3, 0, 4), TEXT(5, 2, 6, 1, 3, 0, 4)};
    Bleu bleu = {0};
    bleu_count(&bleu, TEXT(0, 0, 0, 0, 0, 0, 0), references, 2);
    ck_assert_int_eq((int)bleu.matches[0], 2);
    ck_assert_int_eq((int)bleu.all[0], 7);
    ck_assert_int_eq((int)bleu.matches[1], 0);
    ck_assert_double_eq(bleu_score(&bleu), 0.0);
    ck_assert_int_eq((int)bleu.reference_length, 7); // the nearest, not the shortest
}
END_TEST

START_TEST(a_score_by_hand)
{
    // 6 of 7 words, 4 of 6 pairs, 2 of 5 triples, 1 of 4 of four; 7 against 9 words
    const Bleu bleu = one(TEXT(1, 2, 3, 4, 9, 6, 7), TEXT(1, 2, 3, 4, 5, 6, 7, 8, 8));
    ck_assert_double_eq_tol(bleu_precision(&bleu, 1), 6 / 7.0, 1e-15);
    ck_assert_double_eq_tol(bleu_precision(&bleu, 2), 4 / 6.0, 1e-15);
    ck_assert_double_eq_tol(bleu_precision(&bleu, 3), 2 / 5.0, 1e-15);
    ck_assert_double_eq_tol(bleu_precision(&bleu, 4), 1 / 4.0, 1e-15);
    ck_assert_double_eq_tol(bleu_brevity(&bleu), exp(1 - 9 / 7.0), 1e-7);
    const double product = 6 / 7.0 * 4 / 6.0 * 2 / 5.0 / 4.0;
    ck_assert_double_eq_tol(bleu_score(&bleu), exp(1 - 9 / 7.0) * pow(product, 0.25), 1e-7);
}
END_TEST

START_TEST(counts_of_a_corpus_are_added_before_they_are_divided)
{
    const BleuText right = TEXT(1, 2, 3, 4), wrong = TEXT(5, 6, 7, 8, 9, 10, 11, 12),
                   reference = TEXT(1, 2, 3, 4);
    Bleu bleu = {0};
    bleu_count(&bleu, right, &reference, 1);
    bleu_count(&bleu, wrong, &reference, 1);
    const double product = 4 / 12.0 * 3 / 10.0 * 2 / 8.0 * 1 / 6.0;
    ck_assert_double_eq_tol(bleu_score(&bleu), pow(product, 0.25), 1e-12);
}
END_TEST

START_TEST(of_equally_near_lengths_the_shorter_counts)
{
    const BleuText references[] = {TEXT(1, 2, 3, 4, 5, 6), TEXT(1, 2, 3, 4)};
    Bleu bleu = {0};
    bleu_count(&bleu, TEXT(1, 2, 3, 4, 5), references, 2);
    ck_assert_int_eq((int)bleu.reference_length, 4);
    ck_assert_double_eq(bleu_brevity(&bleu), 1.0);
}
END_TEST

START_TEST(what_is_too_short_or_empty)
{
    Bleu bleu = {0};
    ck_assert(isnan(bleu_score(&bleu)));
    bleu = one(TEXT(1, 2, 3), TEXT(1, 2, 3)); // no n-gram of length 4
    ck_assert_double_eq(bleu_score(&bleu), 0.0);
    ck_assert_double_eq(bleu_precision(&bleu, 3), 1.0);
    bleu = one((BleuText){NULL, 0}, TEXT(1, 2, 3, 4));
    ck_assert_double_eq(bleu_brevity(&bleu), 0.0);
    ck_assert_double_eq(bleu_score(&bleu), 0.0);
    bleu = one(TEXT(1, 2, 3, 4), (BleuText){NULL, 0});
    ck_assert_double_eq(bleu_score(&bleu), 0.0);
}
END_TEST

// How often the n-gram stands in the text
static int times_in(BleuText text, const int *gram, int n)
{
    int times = 0;
    for (int i = 0; i + n <= text.count; i++)
        times += memcmp(text.tokens + i, gram, (size_t)n * sizeof *gram) == 0;
    return times;
}

START_TEST(counts_equal_the_definition)
{
    enum { LONGEST = 20, REFERENCES = 3, ROUNDS = 300 };
    Rng rng = rng_new(17, 0);
    for (int round = 0; round < ROUNDS; round++) {
        int tokens[REFERENCES + 1][LONGEST] = {{0}};
        BleuText texts[REFERENCES + 1] = {{NULL, 0}};
        const uint32_t words = 1 + rng_below(&rng, 5);
        for (int t = 0; t <= REFERENCES; t++) {
            texts[t] = (BleuText){tokens[t], (int)rng_below(&rng, LONGEST + 1)};
            for (int i = 0; i < texts[t].count; i++) tokens[t][i] = (int)rng_below(&rng, words);
        }
        const int references = 1 + (int)rng_below(&rng, REFERENCES);
        Bleu bleu = {0};
        bleu_count(&bleu, texts[0], texts + 1, references);
        for (int n = 1; n <= BLEU_ORDER; n++) {
            int matches = 0, all = 0;
            for (int i = 0; i + n <= texts[0].count; i++, all++) {
                const int *gram = texts[0].tokens + i;
                const BleuText so_far = {tokens[0], i + n - 1}; // the n-grams before this one
                int most = 0;
                for (int r = 1; r <= references; r++) {
                    const int times = times_in(texts[r], gram, n);
                    most = times > most ? times : most;
                }
                matches += times_in(so_far, gram, n) < most;
            }
            ck_assert_int_eq((int)bleu.matches[n - 1], matches);
            ck_assert_int_eq((int)bleu.all[n - 1], all);
        }
    }
}
END_TEST

static void without_references(void *context)
{
    (void)context;
    Bleu bleu = {0};
    bleu_count(&bleu, TEXT(1), NULL, 0);
}

static void five_grams(void *context)
{
    (void)context;
    const Bleu bleu = {0};
    bleu_precision(&bleu, 5);
}

START_TEST(mistakes_are_named)
{
    expect_death(without_references, NULL, "bleu_count: 0 references");
    expect_death(five_grams, NULL, "bleu_precision: n is 5");
}
END_TEST

SUITE("bleu", the_same_text_has_a_score_of_one, matches_are_clipped_by_the_reference_that_has_most,
      a_score_by_hand, counts_of_a_corpus_are_added_before_they_are_divided,
      of_equally_near_lengths_the_shorter_counts, what_is_too_short_or_empty, counts_equal_the_definition,
      mistakes_are_named)
