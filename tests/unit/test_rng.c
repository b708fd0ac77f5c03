// Random numbers: the published output of PCG32, and whether the distributions are what they are called.
//
// Seeds are fixed, so a test passes always or never. Bounds come from theory: a fair generator would pass
// each with a chance above 99.99 % (four to five standard deviations), whatever its seed. Check notes every
// assertion in a file: the ones in long loops come after an if.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "suite.h"
#include <float.h>

// χ² = Σ (observed − expected)² / expected over equally likely cells must not pass its quantile at z = 4
// standard deviations (Wilson and Hilferty, PNAS 17, 1931).
static void expect_even(const char *what, const int *observed, int cells, double expected)
{
    double chi2 = 0.0, freedom = cells - 1;
    for (int i = 0; i < cells; i++) chi2 += (observed[i] - expected) * (observed[i] - expected) / expected;
    double part = 2.0 / (9.0 * freedom), bound = freedom * pow(1.0 - part + 4.0 * sqrt(part), 3.0);
    ck_assert_msg(chi2 < bound, "%s: chi-square %.1f over %d cells, at most %.1f expected", what, chi2, cells,
                  bound);
}

static void expect_near(const char *what, double got, double expected, double deviation)
{
    ck_assert_msg(fabs(got - expected) <= 5.0 * deviation,
                  "%s: got %.6f, expected %.6f ± %.6f (five deviations)", what, got, expected,
                  5.0 * deviation);
}

// ---- The generator ----------------------------------------------------------------------------------------

// The demonstration program pcg32-demo of the reference implementation prints five rounds of six numbers, 65
// coins, 33 dice and a pack of cards (www.pcg-random.org/using-pcg-c-basic.html). It takes remainders, as
// here: rng_below is faster.
static uint32_t remainder_below(Rng *rng, uint32_t bound)
{
    uint32_t value;
    do value = rng_next(rng);
    while (value < -bound % bound);
    return value % bound;
}

START_TEST(the_published_numbers_coins_dice_and_cards_come_out)
{
    static const uint32_t first[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e};
    static const uint32_t fifth[] = {0xfcef7cd6, 0x1b488b5a, 0xd0daf7ea, 0x1d9a70f7, 0x241a37cf, 0x9a3857b7};
    Rng rng = rng_new(42, 54);
    for (int round = 1; round <= 5; round++) {
        for (int i = 0; i < 6; i++) {
            uint32_t got = rng_next(&rng), expected = round == 1 ? first[i] : round == 5 ? fifth[i] : got;
            ck_assert_msg(got == expected, "round %d, number %d: got 0x%08x, expected 0x%08x", round, i, got,
                          expected);
        }
        char coins[66] = "", dice[34] = "", cards[52 * 3 + 1] = "";
        for (int i = 0; i < 65; i++) coins[i] = "TH"[remainder_below(&rng, 2)];
        for (int i = 0; i < 33; i++) dice[i] = "123456"[remainder_below(&rng, 6)];
        int deck[52];
        for (int i = 0; i < 52; i++) deck[i] = i;
        for (uint32_t left = 52; left > 1; left--) {
            uint32_t chosen = remainder_below(&rng, left);
            int held = deck[chosen];
            deck[chosen] = deck[left - 1];
            deck[left - 1] = held;
        }
        for (int i = 0; i < 52; i++)
            snprintf(cards + 3 * i, 4, "%c%c ", "A23456789TJQK"[deck[i] / 4], "hcds"[deck[i] % 4]);
        if (round > 1) continue;
        ck_assert_str_eq(coins, "HHTTTHTHHHTHTTTHHHHHTTTHHHTHTHTHTTHTTTHHHHHHTTTTHHTTTTTHTTTTTTTHT");
        ck_assert_str_eq(dice, "341122324324335231315141564662633");
        ck_assert_str_eq(cards,
                         "Qd Ks 6d 3s 3d 4c 3h Td Kc 5c Jh Kd Jd As 4s 4h Ad Th Ac Jc 7s Qs 2s 7h Kh 2d "
                         "6c Ah 4d Qh 9h 6s 5s 2c 9c Ts 8d 9s 3c 8c Js 5d 2h 6h 7d 8s 9d 5h 8h Qc 7c Tc ");
    }
}
END_TEST

START_TEST(a_copy_draws_the_same_numbers)
{
    Rng rng = rng_new(1, 2);
    rng_normal(&rng);
    Rng twin = rng;
    for (int i = 0; i < 100; i++) ck_assert_uint_eq(rng_next(&rng), rng_next(&twin));
}
END_TEST

START_TEST(every_bit_is_set_half_of_the_time)
{
    enum { DRAWS = 100000 };
    Rng rng = rng_new(3, 0);
    int set[32] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint32_t value = rng_next(&rng);
        for (int bit = 0; bit < 32; bit++) set[bit] += value >> bit & 1;
    }
    for (int bit = 0; bit < 32; bit++)
        expect_near("share of ones", set[bit] / (double)DRAWS, 0.5, 0.5 / sqrt(DRAWS));
}
END_TEST

// ---- Whole numbers below a bound --------------------------------------------------------------------------

START_TEST(values_below_a_bound_are_equally_likely)
{
    static const uint32_t bounds[] = {2, 3, 6, 7, 10, 64, 100, 1000};
    Rng rng = rng_new(5, 0);
    for (int b = 0; b < 8; b++) {
        int observed[1000] = {0}, draws = 1000 * (int)bounds[b];
        for (int i = 0; i < draws; i++) {
            uint32_t value = rng_below(&rng, bounds[b]);
            if (value >= bounds[b]) ck_abort_msg("%u is not below %u", value, bounds[b]);
            observed[value]++;
        }
        expect_even("rng_below", observed, (int)bounds[b], 1000.0);
    }
}
END_TEST

// Below 3 · 2³⁰, mapping all 2³² values would hit some results twice as often as others: the first third of
// them with a remainder, every third of them with a product.
START_TEST(a_large_bound_has_no_bias)
{
    enum { DRAWS = 30000 };
    Rng rng = rng_new(6, 0);
    int thirds[3] = {0}, remainders[3] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint32_t value = rng_below(&rng, 3u << 30);
        if (value >= 3u << 30) ck_abort_msg("%u is not below %u", value, 3u << 30);
        thirds[value >> 30]++;
        remainders[value % 3]++;
    }
    expect_even("thirds", thirds, 3, DRAWS / 3.0);
    expect_even("remainders", remainders, 3, DRAWS / 3.0);
}
END_TEST

static void ask_below_nothing(void *context) { rng_below(context, 0); }

START_TEST(a_bound_of_one_gives_zero_and_a_bound_of_zero_stops)
{
    Rng rng = rng_new(7, 0);
    for (int i = 0; i < 100; i++) ck_assert_uint_eq(rng_below(&rng, 1), 0);
    expect_death(ask_below_nothing, &rng, "a bound of 0");
}
END_TEST

// ---- Uniform ----------------------------------------------------------------------------------------------

START_TEST(uniform_numbers_fill_the_interval_evenly)
{
    enum { DRAWS = 256000, CELLS = 256 };
    Rng rng = rng_new(8, 0);
    int observed[CELLS] = {0};
    double total = 0.0, squares = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        float u = rng_uniform(&rng);
        if (!(u >= 0.0f && u < 1.0f)) ck_abort_msg("%.9g is not in [0, 1)", (double)u);
        if (u * 0x1p24f != floorf(u * 0x1p24f)) ck_abort_msg("%.9g is no multiple of 2^-24", (double)u);
        observed[(int)(u * CELLS)]++;
        total += (double)u;
        squares += (double)u * (double)u;
    }
    expect_even("uniform", observed, CELLS, DRAWS / (double)CELLS);
    expect_near("mean", total / DRAWS, 0.5, sqrt(1.0 / 12.0 / DRAWS));
    expect_near("mean square", squares / DRAWS, 1.0 / 3.0, sqrt(4.0 / 45.0 / DRAWS));
}
END_TEST

START_TEST(pairs_and_triples_of_uniform_numbers_are_even_too)
{
    enum { DRAWS = 100000 };
    Rng rng = rng_new(9, 0);
    int pairs[32 * 32] = {0}, triples[8 * 8 * 8] = {0};
    for (int i = 0; i < DRAWS; i++) {
        int a = (int)(rng_uniform(&rng) * 32), b = (int)(rng_uniform(&rng) * 32),
            c = (int)(rng_uniform(&rng) * 32);
        pairs[a * 32 + b]++;
        triples[(a / 4 * 8 + b / 4) * 8 + c / 4]++;
    }
    expect_even("pairs", pairs, 32 * 32, DRAWS / (32.0 * 32.0));
    expect_even("triples", triples, 8 * 8 * 8, DRAWS / (8.0 * 8.0 * 8.0));
}
END_TEST

START_TEST(a_number_between_never_reaches_the_upper_end)
{
    static const float ends[][2] = {
        {-3.0f, 5.0f}, {0.0f, 0.1f}, {-1e-30f, 1e-30f}, {16777216.0f, 16777220.0f}, {1.0f, 1.0f + 0x1p-23f}};
    Rng rng = rng_new(10, 0);
    for (int e = 0; e < 5; e++) {
        float low = ends[e][0], high = ends[e][1], least = high, most = low;
        for (int i = 0; i < 10000; i++) {
            float value = rng_between(&rng, low, high);
            if (!(value >= low && value < high))
                ck_abort_msg("%.9g is not in [%.9g, %.9g)", (double)value, (double)low, (double)high);
            least = fminf(least, value);
            most = fmaxf(most, value);
        }
        if (e < 3) {
            ck_assert_msg(least < low + 0.001f * (high - low), "the least of 10000 is %g", (double)least);
            ck_assert_msg(most > high - 0.001f * (high - low), "the largest of 10000 is %g", (double)most);
        }
    }
}
END_TEST

// ---- Normal -----------------------------------------------------------------------------------------------

static double normal_below(double x) { return 0.5 * erfc(-x * sqrt(0.5)); }

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Four moments, the tails, and the largest distance between the observed and the true distribution
// (Kolmogorov and Smirnov: √n · distance passes 2.2 in one run of ten thousand).
static void expect_normal(float *x, int n)
{
    double moment[5] = {0};
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i])) ck_abort_msg("number %d is %g", i, (double)x[i]);
        double power = 1.0;
        for (int k = 1; k <= 4; k++) moment[k] += power *= (double)x[i];
    }
    expect_near("mean", moment[1] / n, 0.0, 1.0 / sqrt(n));
    expect_near("variance", moment[2] / n, 1.0, sqrt(2.0 / n));
    expect_near("third moment", moment[3] / n, 0.0, sqrt(15.0 / n));
    expect_near("fourth moment", moment[4] / n, 3.0, sqrt(96.0 / n));

    for (int limit = 1; limit <= 4; limit++) {
        int below = 0, above = 0;
        for (int i = 0; i < n; i++) below += x[i]<-(float)limit, above += x[i]>(float) limit;
        double tail = normal_below(-limit), deviation = sqrt(tail * (1.0 - tail) / n);
        expect_near("lower tail", below / (double)n, tail, deviation);
        expect_near("upper tail", above / (double)n, tail, deviation);
    }

    qsort(x, (size_t)n, sizeof *x, by_value);
    double distance = 0.0;
    for (int i = 0; i < n; i++) {
        double truth = normal_below((double)x[i]);
        distance = fmax(distance, fmax(truth - i / (double)n, (i + 1) / (double)n - truth));
    }
    ck_assert_msg(distance * sqrt(n) < 2.2, "largest distance from the normal distribution: %.5f", distance);
}

enum { NORMALS = 1000000 };

START_TEST(normal_numbers_one_by_one_are_normal)
{
    float *x = malloc(NORMALS * sizeof *x);
    Rng rng = rng_new(12, 0);
    for (int i = 0; i < NORMALS; i++) x[i] = rng_normal(&rng);
    expect_normal(x, NORMALS);
    free(x);
}
END_TEST

START_TEST(normal_numbers_in_bulk_are_normal_and_independent)
{
    float *x = malloc(NORMALS * sizeof *x);
    Rng rng = rng_new(13, 0);
    rng_normals(&rng, x, NORMALS);
    double products = 0.0, squares = 0.0; // of neighbours: the two of one pair, and of two pairs
    for (int i = 0; i + 1 < NORMALS; i++) {
        double a = (double)x[i], b = (double)x[i + 1];
        products += a * b;
        squares += (a * a - 1.0) * (b * b - 1.0);
    }
    expect_near("correlation of neighbours", products / NORMALS, 0.0, 1.0 / sqrt(NORMALS));
    expect_near("correlation of their squares", squares / NORMALS, 0.0, 2.0 / sqrt(NORMALS));
    expect_normal(x, NORMALS);
    free(x);
}
END_TEST

START_TEST(the_ends_of_the_uniform_interval_give_finite_normals)
{
    Rng zero = {0, 1}; // state 0 shows 32 zero bits
    float at_zero = rng_normal(&zero);
    ck_assert_msg(at_zero == 0.0f, "u = 1 − 0 has the logarithm 0; got %g", (double)at_zero);

    Rng ones = {0, 1};
    while (rng_next(&(Rng){ones.state, 1}) >> 8 != 0xffffff) ones.state += 0x9e3779b97f4a7c15u;
    float radius = fabsf(rng_normal(&ones)); // √(−2 ln 2⁻²⁴) = 5.768 at most
    ck_assert_msg(radius < 5.769f, "got %g", (double)radius);
}
END_TEST

START_TEST(an_odd_count_of_normals_writes_just_so_many)
{
    Rng rng = rng_new(14, 0);
    for (size_t count = 0; count < 6; count++) {
        float out[8];
        for (int i = 0; i < 8; i++) out[i] = -100.0f;
        rng_normals(&rng, out, count);
        for (size_t i = 0; i < 8; i++)
            ck_assert_msg((out[i] != -100.0f) == (i < count), "count %zu, element %zu", count, i);
    }
}
END_TEST

START_TEST(each_normal_or_pair_of_normals_draws_twice)
{
    Rng rng = rng_new(15, 0), twin = rng;
    float pair[2], first = rng_normal(&rng);
    rng_next(&twin);
    rng_next(&twin);
    ck_assert_uint_eq(rng.state, twin.state);
    rng = twin = rng_new(15, 0);
    rng_normals(&rng, pair, 2);
    rng_next(&twin);
    rng_next(&twin);
    ck_assert_uint_eq(rng.state, twin.state);
    ck_assert_float_eq(pair[0], first);
}
END_TEST

// ---- Orders -----------------------------------------------------------------------------------------------

START_TEST(all_orders_of_four_are_equally_likely)
{
    Rng rng = rng_new(16, 0);
    int observed[256] = {0}, orders[24], found = 0; // an order as a number of four digits in base 4
    for (int i = 0; i < 24000; i++) {
        int items[4] = {0, 1, 2, 3};
        rng_shuffle(&rng, items, 4);
        observed[((items[0] * 4 + items[1]) * 4 + items[2]) * 4 + items[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (observed[i] && found < 24) orders[found++] = observed[i];
    ck_assert_int_eq(found, 24);
    expect_even("orders", orders, 24, 1000.0);
}
END_TEST

START_TEST(every_item_is_as_likely_in_every_place)
{
    enum { N = 10, DRAWS = 20000 };
    Rng rng = rng_new(17, 0);
    int observed[N * N] = {0}, order[N];
    for (int i = 0; i < DRAWS; i++) {
        rng_permutation(&rng, order, N);
        for (int place = 0; place < N; place++) observed[place * N + order[place]]++;
    }
    expect_even("item and place", observed, N * N, DRAWS / (double)N);
}
END_TEST

START_TEST(a_permutation_holds_every_number_once)
{
    enum { N = 5000 };
    Rng rng = rng_new(18, 0);
    static int order[N], seen[N];
    rng_permutation(&rng, order, N);
    for (int i = 0; i < N; i++) {
        ck_assert(order[i] >= 0 && order[i] < N);
        ck_assert_msg(!seen[order[i]]++, "%d is there twice", order[i]);
    }
}
END_TEST

START_TEST(shuffling_keeps_the_items_and_nothing_else)
{
    Rng rng = rng_new(19, 0);
    int items[5] = {-7, 40, 40, 41, 99};
    rng_shuffle(&rng, items + 1, 3);
    ck_assert_int_eq(items[0], -7);
    ck_assert_int_eq(items[4], 99);
    ck_assert_int_eq(items[1] + items[2] + items[3], 121);
    ck_assert_int_eq(items[1] * items[2] * items[3], 40 * 40 * 41);
    rng_shuffle(&rng, items, 1);
    rng_shuffle(&rng, items, 0);
    rng_shuffle(&rng, NULL, 0);
    ck_assert_int_eq(items[0], -7);
}
END_TEST

// ---- Streams ----------------------------------------------------------------------------------------------

// Uniform numbers of two generators, side by side and up to two draws apart, must not be correlated.
static void expect_independent(const char *what, Rng a, Rng b)
{
    enum { DRAWS = 10000, LAGS = 2 };
    static float x[DRAWS + 2 * LAGS], y[DRAWS];
    for (int i = 0; i < DRAWS + 2 * LAGS; i++) x[i] = rng_uniform(&a) - 0.5f;
    for (int i = 0; i < LAGS; i++) rng_uniform(&b);
    for (int i = 0; i < DRAWS; i++) y[i] = rng_uniform(&b) - 0.5f;
    for (int lag = 0; lag <= 2 * LAGS; lag++) {
        double products = 0.0;
        for (int i = 0; i < DRAWS; i++) products += (double)x[i + lag] * (double)y[i];
        expect_near(what, 12.0 * products / DRAWS, 0.0, 1.0 / sqrt(DRAWS));
    }
}

START_TEST(streams_and_seeds_side_by_side_are_independent)
{
    for (uint64_t i = 0; i < 30; i++) {
        expect_independent("streams of one seed", rng_new(1, i), rng_new(1, i + 1));
        expect_independent("seeds of one stream", rng_new(i, 1), rng_new(i + 1, 1));
        expect_independent("seed and stream swapped", rng_new(i, i + 1), rng_new(i + 1, i));
        Rng parent = rng_new(1, i);
        expect_independent("two children", rng_stream(&parent, 0), rng_stream(&parent, i + 1));
        expect_independent("parent and child", parent, rng_stream(&parent, i));
    }
}
END_TEST

START_TEST(first_draws_of_many_streams_are_uniform)
{
    enum { STREAMS = 64000, CELLS = 64 };
    Rng parent = rng_new(20, 0);
    int observed[CELLS] = {0}, repeated[CELLS] = {0};
    for (int i = 0; i < STREAMS; i++) {
        Rng child = rng_stream(&parent, (uint64_t)i), next = rng_stream(&parent, (uint64_t)i + 1);
        float first = rng_uniform(&child), neighbour = rng_uniform(&next);
        observed[(int)(first * CELLS)]++;
        float distance = neighbour - first;
        repeated[(int)((distance < 0.0f ? distance + 1.0f : distance) * (CELLS - 0.001f))]++;
    }
    expect_even("first draws", observed, CELLS, STREAMS / (double)CELLS);
    expect_even("distance to the next stream's", repeated, CELLS, STREAMS / (double)CELLS);
}
END_TEST

START_TEST(a_stream_depends_on_state_and_index_and_moves_nothing)
{
    Rng parent = rng_new(21, 3), before = parent;
    Rng five = rng_stream(&parent, 5), again = rng_stream(&parent, 5), six = rng_stream(&parent, 6);
    ck_assert_uint_eq(parent.state, before.state);
    ck_assert_uint_eq(parent.increment, before.increment);
    uint32_t first = rng_next(&five);
    ck_assert_uint_eq(rng_next(&again), first);
    ck_assert_uint_ne(rng_next(&six), first);
    rng_next(&parent);
    Rng later = rng_stream(&parent, 5);
    ck_assert_uint_ne(rng_next(&later), first);
}
END_TEST

START_TEST(a_number_between_ends_of_any_size_is_even)
{
    static const float ends[][2] = {
        {-3e38f, 3e38f}, {-FLT_MAX, FLT_MAX}, {0.0f, FLT_MAX}, {-FLT_MAX, 1.0f}, {-1e-38f, 1e-38f}};
    Rng rng = rng_new(10, 1);
    for (int e = 0; e < 5; e++) {
        const double low = (double)ends[e][0], high = (double)ends[e][1];
        long quarters[4] = {0};
        for (int i = 0; i < 40000; i++) {
            const float value = rng_between(&rng, ends[e][0], ends[e][1]);
            if (!(value >= ends[e][0] && value < ends[e][1]))
                ck_abort_msg("%g is not in [%g, %g)", (double)value, low, high);
            quarters[(int)(4.0 * (((double)value - low) / (high - low)))]++;
        }
        for (int q = 0; q < 4; q++)
            ck_assert_msg(labs(quarters[q] - 10000) < 500, "%g to %g: %ld of 40000 in quarter %d", low, high,
                          quarters[q], q + 1);
    }
    ck_assert(rng_between(&rng, 2.5f, 2.5f) == 2.5f);
    ck_assert(rng_between(&rng, 0.0f, 1e-45f) == 0.0f); // nothing lies between
}
END_TEST

static void draw_between(void *context)
{
    const float *ends = context;
    Rng rng = rng_new(1, 1);
    rng_between(&rng, ends[0], ends[1]);
}

START_TEST(ends_without_a_range_are_refused)
{
    static float ends[][2] = {
        {2.0f, 1.0f}, {NAN, 1.0f}, {0.0f, NAN}, {0.0f, INFINITY}, {-INFINITY, INFINITY}};
    expect_death(draw_between, ends[0], "rng_between: from 2 to 1\n hint: ");
    for (int e = 1; e < 5; e++) expect_death(draw_between, ends[e], "rng_between: from ");
}
END_TEST

SUITE("rng", the_published_numbers_coins_dice_and_cards_come_out, a_copy_draws_the_same_numbers,
      every_bit_is_set_half_of_the_time, values_below_a_bound_are_equally_likely, a_large_bound_has_no_bias,
      a_bound_of_one_gives_zero_and_a_bound_of_zero_stops, uniform_numbers_fill_the_interval_evenly,
      pairs_and_triples_of_uniform_numbers_are_even_too, a_number_between_never_reaches_the_upper_end,
      normal_numbers_one_by_one_are_normal, normal_numbers_in_bulk_are_normal_and_independent,
      the_ends_of_the_uniform_interval_give_finite_normals, an_odd_count_of_normals_writes_just_so_many,
      each_normal_or_pair_of_normals_draws_twice, all_orders_of_four_are_equally_likely,
      every_item_is_as_likely_in_every_place, a_permutation_holds_every_number_once,
      shuffling_keeps_the_items_and_nothing_else, streams_and_seeds_side_by_side_are_independent,
      first_draws_of_many_streams_are_uniform, a_stream_depends_on_state_and_index_and_moves_nothing,
      a_number_between_ends_of_any_size_is_even, ends_without_a_range_are_refused)
