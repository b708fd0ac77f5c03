// The functions of mathf.h against the C library's in double precision, in units in the last place (ulp).
//
// By default about every thousandth float is tried, and all near the powers of two; with EXHAUSTIVE=1 (make
// test-mathf-all) every float there is, and the largest error of each function is printed.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mathf.h"
#include "suite.h"

// ---- The true values --------------------------------------------------------------------------------------

static double true_sigmoid(double x) { return x < 0.0 ? exp(x) / (1.0 + exp(x)) : 1.0 / (1.0 + exp(-x)); }
static double true_silu(double x) { return x == -INFINITY ? -0.0 : x * true_sigmoid(x); }
static double true_softplus(double x) { return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))); }
static double true_phi(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
static double true_gelu(double x) { return x == -INFINITY ? -0.0 : x * true_phi(x); }

static double true_gelu_slope(double x)
{
    double bell = isinf(x) ? 0.0 : x * exp(-0.5 * x * x) / sqrt(2.0 * M_PI);
    return true_phi(x) + bell;
}

// ---- Functions of one float, and what is asked of them ----------------------------------------------------

enum { BLOCK = 4096 };

typedef struct {
    const char *name;
    void (*block)(float *y, const float *x, int count); // a loop that becomes vector code
    double (*exact)(double x);
    double ulps, absolute; // |error| ≤ ulps · ulp + absolute
    int parity;            // 1: f(−x) = f(x); −1: f(−x) = −f(x)
} Function;

#define FUNCTION(f, exact, ulps, absolute, parity)                                                           \
    static void f##_block(float *y, const float *x, int count)                                               \
    {                                                                                                        \
        for (int i = 0; i < count; i++) y[i] = f(x[i]);                                                      \
    }                                                                                                        \
    static const Function f##_function = {#f, f##_block, exact, ulps, absolute, parity};

FUNCTION(exp32, exp, 2.0, 0.0, 0)
FUNCTION(expm1_32, expm1, 2.0, 0.0, 0)
FUNCTION(log32, log, 2.0, 0.0, 0)
FUNCTION(log1p32, log1p, 2.0, 0.0, 0)
FUNCTION(tanh32, tanh, 2.0, 0.0, -1)
FUNCTION(sigmoid32, true_sigmoid, 2.0, 0.0, 0)
FUNCTION(silu32, true_silu, 2.0, 0.0, 0)
FUNCTION(softplus32, true_softplus, 2.0, 0.0, 0)
FUNCTION(sin32, sin, 2.0, 0.0, -1)
FUNCTION(cos32, cos, 2.0, 0.0, 1)
FUNCTION(erf32, erf, 2.0, 0.0, -1)
FUNCTION(gelu32, true_gelu, 2.0, 0.0, 0)
FUNCTION(gelu32_slope, true_gelu_slope, 0.51, 0x1p-30, 0) // relative accuracy ends where it crosses zero

// The distance of two neighbouring floats at x; beyond the largest float, that of the largest.
static double ulp_at(double x)
{
    int exponent = (int)(double_to_bits(x) >> 52 & 2047) - 1023;
    exponent = exponent < -126 ? -126 : exponent > 127 ? 127 : exponent;
    return double_from_bits((uint64_t)(exponent - 23 + 1023) << 52);
}

// |got − exact| in ulp, less what is allowed absolutely. An infinity counts as 2¹²⁸, the next float if there
// were one.
static double error_in_ulps(float got, double exact, double absolute)
{
    if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0.0 : INFINITY;
    double bounded = fmin(fmax(exact, -0x1p128), 0x1p128), value = isinf(got) ? copysign(0x1p128, got) : got;
    return fmax(0.0, fabs(value - bounded) - absolute) / ulp_at(bounded);
}

typedef struct {
    double ulps;
    float x, got;
    bool unsymmetrical,
        differs; // f(−x) is not ± f(x); a loop over one float gives other bits than a long one
} Worst;

// ---- Trying many floats -----------------------------------------------------------------------------------

static bool same_bits(float a, float b) { return float_to_bits(a) == float_to_bits(b); }

static void try_symmetry(const Function *function, const float *x, const float *y, int count, Worst *worst)
{
    float mirrored[BLOCK], other[BLOCK];
    for (int i = 0; i < count; i++) mirrored[i] = -x[i];
    function->block(other, mirrored, count);
    for (int i = 0; i < count; i++) {
        bool same =
            same_bits(other[i], function->parity < 0 ? -y[i] : y[i]) || (isnan(y[i]) && isnan(other[i]));
        if (!same && !worst->unsymmetrical) *worst = (Worst){worst->ulps, x[i], y[i], true, worst->differs};
    }
}

static void try_block(const Function *function, const float *x, int count, Worst *worst)
{
    float y[BLOCK], alone;
    function->block(y, x, count);
    for (int i = 0; i < count; i++) {
        double error = error_in_ulps(y[i], function->exact(x[i]), function->absolute);
        if (error > worst->ulps && !worst->unsymmetrical && !worst->differs)
            *worst = (Worst){error, x[i], y[i], worst->unsymmetrical, worst->differs};
    }
    if (function->parity) try_symmetry(function, x, y, count, worst);
    for (int i = 0; i < count; i += 61) {
        function->block(&alone, &x[i], 1);
        if (!same_bits(alone, y[i])) *worst = (Worst){worst->ulps, x[i], y[i], worst->unsymmetrical, true};
    }
}

static bool exhaustive(void) { return getenv("EXHAUSTIVE") != NULL; }

static void keep_worse(Worst *all, Worst one)
{
    bool unsymmetrical = all->unsymmetrical || one.unsymmetrical, differs = all->differs || one.differs;
    bool faulty = all->unsymmetrical || all->differs, fault = one.unsymmetrical || one.differs;
    if (fault || (!faulty && one.ulps > all->ulps)) *all = one;
    all->unsymmetrical = unsymmetrical, all->differs = differs;
}

// Every stride-th bit pattern: each sign, exponent and special value in turn.
static void try_every(const Function *function, uint64_t stride, Worst *worst)
{
    int64_t blocks = (int64_t)(((1ull << 32) / stride + BLOCK) / BLOCK);
#pragma omp parallel for schedule(dynamic, 16) if (exhaustive())
    for (int64_t b = 0; b < blocks; b++) {
        float x[BLOCK];
        Worst mine = {0};
        for (int i = 0; i < BLOCK; i++)
            x[i] = float_from_bits((uint32_t)(((uint64_t)b * BLOCK + (uint64_t)i) * stride));
        try_block(function, x, BLOCK, &mine);
#pragma omp critical
        keep_worse(worst, mine);
    }
}

// The 65 floats around a centre.
static void try_near(const Function *function, float centre, Worst *worst)
{
    float x[65];
    for (int i = 0; i < 65; i++) x[i] = float_from_bits(float_to_bits(centre) + (uint32_t)(i - 32));
    try_block(function, x, 65, worst);
}

// Where something changes: a power of two, a multiple of half a quadrant or of half of ln 2, an end of the
// range.
static void try_special(const Function *function, Worst *worst)
{
    static const float ends[] = {88.722839f,  -87.336544f, -103.97207f, -17.328680f, 9.0109133f,
                                 3.9192059f,  -14.3f,      -14.9f,      -120.0f,     -1.0f,
                                 0.41421356f, 0.70710678f, 1.4142136f,  -0.7517916f, -0.29289322f};
    for (uint32_t exponent = 0; exponent < 512; exponent++)
        try_near(function, float_from_bits(exponent << 23), worst);
    for (int i = 0; i < 400; i++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            try_near(function, (float)(sign * i * M_PI_4), worst);
            try_near(function, (float)(sign * i * M_LN2 / 2), worst);
        }
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) try_near(function, ends[i], worst);
}

static void expect_accurate(const Function *function)
{
    Worst worst = {0};
    try_special(function, &worst);
    try_every(function, exhaustive() ? 1 : UNDER_ASAN ? 30011 : 1009, &worst);
    if (exhaustive())
        printf("%-13s at most %.3f ulp off over all 2^32 floats, at %a\n", function->name, worst.ulps,
               worst.x);
    ck_assert_msg(!worst.differs, "%s(%a): the long loop and the short one differ", function->name, worst.x);
    ck_assert_msg(!worst.unsymmetrical, "%s(%a) is not the mirror of %s(%a)", function->name, worst.x,
                  function->name, -worst.x);
    ck_assert_msg(worst.ulps <= function->ulps,
                  "%s(%a) = %a, expected %a: %.3f ulp off, at most %.2f allowed", function->name, worst.x,
                  worst.got, function->exact(worst.x), worst.ulps, function->ulps);
}

#define ACCURATE(f)                                                                                          \
    START_TEST(f##_is_close_to_the_true_value) { expect_accurate(&f##_function); }                           \
    END_TEST

ACCURATE(exp32)
ACCURATE(expm1_32)
ACCURATE(log32)
ACCURATE(log1p32)
ACCURATE(tanh32)
ACCURATE(sigmoid32)
ACCURATE(silu32)
ACCURATE(softplus32)
ACCURATE(sin32)
ACCURATE(cos32)
ACCURATE(erf32)
ACCURATE(gelu32)
ACCURATE(gelu32_slope)

// ---- Special values, as in C's Annex F --------------------------------------------------------------------

static const Function *const all[] = {
    &exp32_function,  &expm1_32_function,  &log32_function,        &log1p32_function, &tanh32_function,
    &silu32_function, &sigmoid32_function, &sin32_function,        &cos32_function,   &softplus32_function,
    &erf32_function,  &gelu32_function,    &gelu32_slope_function,
};
enum { FUNCTIONS = sizeof all / sizeof *all };

static float value_of(const Function *function, float x)
{
    float y;
    function->block(&y, &x, 1);
    return y;
}

START_TEST(zeros_infinities_and_the_ends_of_the_range_are_exact)
{
    static const struct {
        const Function *function;
        float x, expected;
    } cases[] = {
        {&exp32_function, 0.0f, 1.0f},
        {&exp32_function, -0.0f, 1.0f},
        {&exp32_function, INFINITY, INFINITY},
        {&exp32_function, -INFINITY, 0.0f},
        {&exp32_function, 0x1.62e430p6f, INFINITY}, // the first above log(largest float)
        {&exp32_function, 0x1.62e42ep6f, 0x1.ffff08p127f},
        {&exp32_function, -0x1.9fe368p6f, 0x1p-149f}, // the last above ½ of the smallest float
        {&exp32_function, -0x1.9fe36ap6f, 0.0f},
        {&expm1_32_function, 0.0f, 0.0f},
        {&expm1_32_function, -0.0f, -0.0f},
        {&expm1_32_function, 0x1p-149f, 0x1p-149f},
        {&expm1_32_function, INFINITY, INFINITY},
        {&expm1_32_function, -INFINITY, -1.0f},
        {&log32_function, 1.0f, 0.0f},
        {&log32_function, 0.0f, -INFINITY},
        {&log32_function, -0.0f, -INFINITY},
        {&log32_function, -1.0f, NAN},
        {&log32_function, -0x1p-149f, NAN},
        {&log32_function, -INFINITY, NAN},
        {&log32_function, INFINITY, INFINITY},
        {&log1p32_function, 0.0f, 0.0f},
        {&log1p32_function, -0.0f, -0.0f},
        {&log1p32_function, -0x1p-149f, -0x1p-149f},
        {&log1p32_function, -1.0f, -INFINITY},
        {&log1p32_function, -0x1.000002p0f, NAN},
        {&log1p32_function, -INFINITY, NAN},
        {&log1p32_function, INFINITY, INFINITY},
        {&tanh32_function, 0.0f, 0.0f},
        {&tanh32_function, -0.0f, -0.0f},
        {&tanh32_function, 0x1p-149f, 0x1p-149f},
        {&tanh32_function, INFINITY, 1.0f},
        {&tanh32_function, -INFINITY, -1.0f},
        {&sigmoid32_function, 0.0f, 0.5f},
        {&sigmoid32_function, -0.0f, 0.5f},
        {&sigmoid32_function, INFINITY, 1.0f},
        {&sigmoid32_function, -INFINITY, 0.0f},
        {&silu32_function, 0.0f, 0.0f},
        {&silu32_function, -0.0f, -0.0f},
        {&silu32_function, INFINITY, INFINITY},
        {&silu32_function, -INFINITY, -0.0f},
        {&softplus32_function, INFINITY, INFINITY},
        {&softplus32_function, -INFINITY, 0.0f},
        {&sin32_function, 0.0f, 0.0f},
        {&sin32_function, -0.0f, -0.0f},
        {&sin32_function, 0x1p-149f, 0x1p-149f},
        {&sin32_function, INFINITY, NAN},
        {&sin32_function, -INFINITY, NAN},
        {&cos32_function, 0.0f, 1.0f},
        {&cos32_function, -0.0f, 1.0f},
        {&cos32_function, INFINITY, NAN},
        {&cos32_function, -INFINITY, NAN},
        {&erf32_function, 0.0f, 0.0f},
        {&erf32_function, -0.0f, -0.0f},
        {&erf32_function, INFINITY, 1.0f},
        {&erf32_function, -INFINITY, -1.0f},
        {&gelu32_function, 0.0f, 0.0f},
        {&gelu32_function, -0.0f, -0.0f},
        {&gelu32_function, INFINITY, INFINITY},
        {&gelu32_function, -INFINITY, -0.0f},
        {&gelu32_slope_function, 0.0f, 0.5f},
        {&gelu32_slope_function, INFINITY, 1.0f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float got = value_of(cases[i].function, cases[i].x), expected = cases[i].expected;
        ck_assert_msg(same_bits(got, expected) || (isnan(got) && isnan(expected)),
                      "%s(%a): got %a, expected %a", cases[i].function->name, cases[i].x, got, expected);
    }
}
END_TEST

START_TEST(gelu_and_slope_at_once_are_those_one_by_one)
{
    for (uint32_t i = 0; i < 1u << 20; i++) {
        const float x = float_from_bits(i * 4099u);
        const Gelu both = gelu32_and_slope(x);
        ck_assert_msg(same_bits(both.value, gelu32(x)) && same_bits(both.slope, gelu32_slope(x)),
                      "at %a: %a and %a", (double)x, (double)both.value, (double)both.slope);
    }
}
END_TEST

// A quiet NaN keeps its bits; a signalling one becomes quiet. The same on every processor, so hashes of
// results agree.
START_TEST(a_nan_goes_through_with_its_bits)
{
    static const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7fc12345, 0xffffffff, 0x7f800001, 0xff812345};
    for (int f = 0; f < FUNCTIONS; f++) {
        for (size_t i = 0; i < sizeof nans / sizeof *nans; i++) {
            uint32_t got = float_to_bits(value_of(all[f], float_from_bits(nans[i]))),
                     expected = nans[i] | 0x400000;
            ck_assert_msg(got == expected, "%s of NaN 0x%08x: got 0x%08x, expected 0x%08x", all[f]->name,
                          nans[i], got, expected);
        }
    }
}
END_TEST

START_TEST(a_nan_that_is_made_here_is_the_plain_one)
{
    static const struct {
        const Function *function;
        float x;
    } cases[] = {{&log32_function, -1.0f},
                 {&log1p32_function, -2.0f},
                 {&sin32_function, INFINITY},
                 {&cos32_function, -INFINITY}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t got = float_to_bits(value_of(cases[i].function, cases[i].x));
        ck_assert_msg(got == 0x7fc00000, "%s(%g): got 0x%08x, expected 0x7fc00000", cases[i].function->name,
                      (double)cases[i].x, got);
    }
}
END_TEST

// ---- Order ------------------------------------------------------------------------------------------------

// Steps of 2⁻¹² across the pieces from which the functions are put together.
START_TEST(what_rises_never_falls)
{
    static const Function *const rising[] = {&exp32_function,  &expm1_32_function,  &log32_function,
                                             &tanh32_function, &sigmoid32_function, &softplus32_function,
                                             &erf32_function,  &log1p32_function};
    for (size_t f = 0; f < sizeof rising / sizeof *rising; f++) {
        bool logarithm = rising[f] == &log32_function || rising[f] == &log1p32_function;
        float before = -INFINITY;
        for (int i = logarithm ? 0 : -20 * 4096; i < 20 * 4096; i++) {
            float x = (float)i / 4096.0f, y = value_of(rising[f], x);
            ck_assert_msg(y >= before, "%s falls from %a to %a at %a", rising[f]->name, before, y, x);
            before = y;
        }
    }
}
END_TEST

START_TEST(sine_and_cosine_stay_within_one)
{
    for (uint64_t bits = 0; bits < 0x7f800000; bits += 997) {
        float x = float_from_bits((uint32_t)bits), s = value_of(&sin32_function, x),
              c = value_of(&cos32_function, x);
        ck_assert_msg(fabsf(s) <= 1.0f && fabsf(c) <= 1.0f, "sin32(%a) = %a, cos32 = %a", x, s, c);
    }
}
END_TEST

SUITE_TIMEOUT("mathf", exhaustive() ? 7200.0 : 60.0, exp32_is_close_to_the_true_value,
              expm1_32_is_close_to_the_true_value, log32_is_close_to_the_true_value,
              log1p32_is_close_to_the_true_value, tanh32_is_close_to_the_true_value,
              sigmoid32_is_close_to_the_true_value, silu32_is_close_to_the_true_value,
              softplus32_is_close_to_the_true_value, sin32_is_close_to_the_true_value,
              cos32_is_close_to_the_true_value, erf32_is_close_to_the_true_value,
              gelu32_is_close_to_the_true_value, gelu32_slope_is_close_to_the_true_value,
              gelu_and_slope_at_once_are_those_one_by_one,
              zeros_infinities_and_the_ends_of_the_range_are_exact, a_nan_goes_through_with_its_bits,
              a_nan_that_is_made_here_is_the_plain_one, what_rises_never_falls,
              sine_and_cosine_stay_within_one)
