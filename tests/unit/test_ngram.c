// test_ngram.c: counting as a model of language.
#include "models/ngram.h"
#include "base/rng.h"
#include "suite.h"

#include <math.h>

static const int abracadabra[] = {0, 1, 2, 0, 3, 0, 4, 0, 1, 2, 0}; // a b r a c a d a b r a
enum { LENGTH = 11, SYMBOLS = 5 };

// The rule written out: counts by looking through the text.
static double plain(const int *text, int length, int symbols, int order, const int *ids, int t)
{
    double p = 1.0 / symbols;
    for (int n = 0; n < order && n <= t; n++) {
        int followed = 0, seen = 0, distinct = 0;
        bool after[256] = {false};
        for (int at = n; at < length; at++) {
            bool same = true;
            for (int i = 1; i <= n; i++) same = same && text[at - i] == ids[t - i];
            if (!same) continue;
            followed++;
            seen += text[at] == ids[t];
            distinct += !after[text[at]];
            after[text[at]] = true;
        }
        if (followed) p = (seen + distinct * p) / (followed + distinct);
    }
    return p;
}

START_TEST(a_word_counted_by_hand)
{
    Arena *arena = arena_new();
    Ngram *model = ngram_new(arena, abracadabra, LENGTH, SYMBOLS, 2);
    const int ab[] = {0, 1}, ax[] = {0, 0};
    // P(b) = (2 + 5/5) / (11 + 5); after a: b twice, c and d once, so P(b | a) = (2 + 3 · 3/16) / (4 + 3).
    ck_assert_double_eq_tol(ngram_probability(model, 1, ab, 1), 3.0 / 16, 1e-12);
    ck_assert_double_eq_tol(ngram_probability(model, 2, ab, 1), (2 + 3 * 3.0 / 16) / 7, 1e-12);
    // a never follows a: only the shorter history speaks.
    ck_assert_double_eq_tol(ngram_probability(model, 2, ax, 1), 3 * (6.0 / 16) / 7, 1e-12);
    arena_free(arena);
}
END_TEST

START_TEST(the_probabilities_of_all_symbols_sum_to_one)
{
    Arena *arena = arena_new();
    Ngram *model = ngram_new(arena, abracadabra, LENGTH, SYMBOLS, 4);
    const int histories[][3] = {{0, 1, 2}, {4, 4, 4}, {2, 0, 3}};
    for (int h = 0; h < 3; h++) {
        double total = 0.0;
        for (int c = 0; c < SYMBOLS; c++) {
            int ids[] = {histories[h][0], histories[h][1], histories[h][2], c};
            total += ngram_probability(model, 4, ids, 3);
        }
        ck_assert_double_eq_tol(total, 1.0, 1e-12);
    }
    arena_free(arena);
}
END_TEST

START_TEST(counting_by_a_table_equals_looking_through_the_text)
{
    enum { LONG = 3000, MANY = 40, MOST = NGRAM_MOST_ORDER };
    static int ids[LONG];
    Rng rng = rng_new(5, 5);
    for (int t = 0; t < LONG; t++) ids[t] = (int)(rng_below(&rng, MANY) * rng_below(&rng, MANY) / MANY);
    Arena *arena = arena_new();
    Ngram *model = ngram_new(arena, ids, LONG / 2, MANY, MOST);
    for (int order = 1; order <= MOST; order++)
        for (int t = 0; t < LONG; t += 97) {
            double expected = plain(ids, LONG / 2, MANY, order, ids, t);
            ck_assert_double_eq_tol(ngram_probability(model, order, ids, (size_t)t), expected, 1e-12);
        }
    arena_free(arena);
}
END_TEST

START_TEST(bits_are_the_mean_of_minus_log_2)
{
    Arena *arena = arena_new();
    Ngram *model = ngram_new(arena, abracadabra, LENGTH, SYMBOLS, 3);
    double expected = 0.0;
    for (int t = 2; t < LENGTH; t++)
        expected -= log2(plain(abracadabra, LENGTH, SYMBOLS, 3, abracadabra, t)) / (LENGTH - 2);
    ck_assert_double_eq_tol(ngram_bits(model, 3, abracadabra, 2, LENGTH), expected, 1e-6);
    arena_free(arena);
}
END_TEST

static void order_too_high(void *unused)
{
    (void)unused;
    Arena *arena = arena_new();
    ngram_probability(ngram_new(arena, abracadabra, LENGTH, SYMBOLS, 2), 3, abracadabra, 4);
}
static void symbols_of(void *symbols) { ngram_new(arena_new(), abracadabra, LENGTH, *(int *)symbols, 2); }

START_TEST(what_cannot_be_counted_is_refused)
{
    expect_death(order_too_high, NULL, "order 3 of a model of order 2");
    expect_death(symbols_of, &(int){4}, "symbol 4 at 6, there are 4");
    expect_death(symbols_of, &(int){256}, "256 symbols, 1 to 255");
}
END_TEST

// Each order multiplies the probability of what never followed by about one in three millions.
START_TEST(a_probability_too_small_for_a_float_has_its_bits)
{
    enum { MANY = 3000000 };
    Arena *arena = arena_new();
    int *text = arena_zeros(arena, MANY + 8, sizeof *text);
    Ngram *model = ngram_new(arena, text, MANY, 2, NGRAM_MOST_ORDER);
    text[MANY] = 1;
    const double p = ngram_probability(model, NGRAM_MOST_ORDER, text, MANY),
                 bits = ngram_bits(model, NGRAM_MOST_ORDER, text, MANY, MANY + 1);
    ck_assert_msg(p > 0 && p < 1e-45, "the probability is %g", p);
    ck_assert_msg(fabs(bits + log2(p)) < 1e-5 * bits, "got %g bits, expected %g", bits, -log2(p));
    arena_free(arena);
}
END_TEST

SUITE("ngram", a_word_counted_by_hand, the_probabilities_of_all_symbols_sum_to_one,
      counting_by_a_table_equals_looking_through_the_text, bits_are_the_mean_of_minus_log_2,
      what_cannot_be_counted_is_refused, a_probability_too_small_for_a_float_has_its_bits)
