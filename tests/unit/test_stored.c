// test_stored.c: numbers of two bytes to the last bit, and matrices of them.
#include "base/rng.h"
#include "matrix/stored.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// ---- The definitions, in double precision --------------------------------------------------------------------------------
// A format with so many bits of fraction, and exponents from least to most.

typedef struct {
    int fraction, least, most;
} Format;
static const Format HALF = {10, -14, 15}, BFLOAT16 = {7, -126, 127};

static double value_of(Format f, uint16_t word)
{
    const int exponent = (word & 0x7fff) >> f.fraction, all = (0x7fff >> f.fraction);
    const double fraction = word & ((1 << f.fraction) - 1), sign = word & 0x8000 ? -1.0 : 1.0;
    if (exponent == all) return fraction != 0.0 ? NAN : sign * INFINITY;
    const double one = ldexp(1.0, f.fraction);
    return exponent ? sign * ldexp(one + fraction, exponent - 1 + f.least - f.fraction)
                    : sign * ldexp(fraction, f.least - f.fraction);
}

// The nearest number of the format, ties to even: nearbyint rounds so.
static double nearest(Format f, double x)
{
    if (isnan(x) || isinf(x)) return x;
    int exponent;
    frexp(x, &exponent);
    exponent = exponent - 1 < f.least ? f.least : exponent - 1;
    const double step = ldexp(1.0, exponent - f.fraction), rounded = nearbyint(x / step) * step;
    const double limit = ldexp(2.0, f.most); // one step beyond the largest
    return fabs(rounded) >= limit ? copysign(INFINITY, x) : rounded;
}

static void expect_same(Format f, double expected, uint16_t got, float x)
{
    const double value = value_of(f, got);
    const bool same =
        isnan(expected) ? isnan(value) : value == expected && signbit(value) == signbit(expected);
    ck_assert_msg(same, "%a became %04x = %a, expected %a", (double)x, got, value, expected);
}

START_TEST(every_number_of_two_bytes_becomes_the_float_that_it_is_and_comes_back)
{
    for (uint32_t word = 0; word < 1 << 16; word++) {
        const float half = half_to_float((uint16_t)word), brain = bfloat16_to_float((uint16_t)word);
        const double h = value_of(HALF, (uint16_t)word), b = value_of(BFLOAT16, (uint16_t)word);
        ck_assert_msg(isnan(h) ? isnan(half) : (double)half == h && !signbit(half) == !signbit(h),
                      "%04x: %a, not %a", word, (double)half, h);
        ck_assert_msg(isnan(b) ? isnan(brain) : (double)brain == b && !signbit(brain) == !signbit(b),
                      "%04x: %a, not %a", word, (double)brain, b);
        const uint16_t half_again = float_to_half(half), brain_again = float_to_bfloat16(brain);
        ck_assert_msg(half_again == (isnan(h) ? word | 0x200 : word), "half %04x came back as %04x", word,
                      half_again);
        ck_assert_msg(brain_again == (isnan(b) ? word | 0x40 : word), "bfloat16 %04x came back as %04x", word,
                      brain_again);
    }
}
END_TEST

// Around each number of the format and each middle between two: the float itself and its neighbours.
START_TEST(floats_become_the_nearest_number_and_ties_go_to_even)
{
    for (uint32_t word = 0; word < 0x7f80; word++) {
        const float here[2] = {half_to_float((uint16_t)word), bfloat16_to_float((uint16_t)word)};
        const float next[2] = {half_to_float((uint16_t)(word + 1)), bfloat16_to_float((uint16_t)(word + 1))};
        for (int format = 0; format < 2; format++) {
            if (!isfinite(here[format])) continue;
            const float middle = isfinite(next[format])
                                     ? (float)(((double)here[format] + (double)next[format]) / 2.0)
                                     : (format ? 0x1.ffp127f : 65520.0f);
            for (int step = -1; step <= 1; step++) {
                const float x = of_bits((uint32_t)((int32_t)bits_of(middle) + step));
                if (format == 0) {
                    expect_same(HALF, nearest(HALF, (double)x), float_to_half(x), x);
                    expect_same(HALF, nearest(HALF, -(double)x), float_to_half(-x), -x);
                } else {
                    expect_same(BFLOAT16, nearest(BFLOAT16, (double)x), float_to_bfloat16(x), x);
                    expect_same(BFLOAT16, nearest(BFLOAT16, -(double)x), float_to_bfloat16(-x), -x);
                }
            }
        }
    }
}
END_TEST

START_TEST(floats_of_any_size_become_the_nearest_number)
{
    Rng rng = rng_new(5, 2);
    for (int i = 0; i < 2000000; i++) {
        const float x = of_bits(rng_next(&rng));
        expect_same(HALF, nearest(HALF, (double)x), float_to_half(x), x);
        expect_same(BFLOAT16, nearest(BFLOAT16, (double)x), float_to_bfloat16(x), x);
    }
    static const uint32_t ends[] = {0x7f800000, 0xff800000, 0x7f800001, 0xffffffff, 0x7f7fffff, 0xff7fffff, 1,
                                    0x80000000, 0x80000001, 0x33000000, 0x33000001, 0x477fefff, 0x477ff000};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const float x = of_bits(ends[i]);
        expect_same(HALF, nearest(HALF, (double)x), float_to_half(x), x);
        expect_same(BFLOAT16, nearest(BFLOAT16, (double)x), float_to_bfloat16(x), x);
    }
}
END_TEST

START_TEST(a_matrix_is_rounded_element_by_element_and_expanded_from_any_address)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(6, 1);
    Matrix m = matrix_new(arena, 67, 43), out = matrix_new(arena, 67, 43);
    fill_normal(m, &rng, 0, 1e-4f); // for a half, many of them are subnormal
    m.data[5] = INFINITY, m.data[6] = NAN, m.data[7] = 1e9f;
    for (int kind = STORED_F32; kind <= STORED_BF16; kind++) {
        Stored stored = stored_from(arena, m, (StoredKind)kind);
        ck_assert_uint_eq(stored_bytes(stored), 67u * 43u * (kind == STORED_F32 ? 4 : 2));
        unsigned char *moved = arena_alloc(arena, stored_bytes(stored) + 3, 1);
        memcpy(moved + 3, stored.data, stored_bytes(stored));
        stored.data = moved + 3;
        stored_expand(out, stored);
        for (int i = 0; i < 67 * 43; i++) {
            const float x = m.data[i], expected = kind == STORED_F16 ? half_to_float(float_to_half(x))
                                                  : kind == STORED_BF16
                                                      ? bfloat16_to_float(float_to_bfloat16(x))
                                                      : x;
            ck_assert(bits_of(expected) == bits_of(out.data[i]));
        }
        float row[43];
        stored_row(row, stored, 66);
        ck_assert(memcmp(row, matrix_row(out, 66), sizeof row) == 0);
    }
    arena_free(arena);
}
END_TEST

static void expand_into_another_shape(void *context)
{
    (void)context;
    float values[6] = {0};
    Stored stored = {2, 3, STORED_F32, values};
    Matrix out = {3, 2, values};
    stored_expand(out, stored);
}

START_TEST(shapes_are_compared)
{
    expect_death(expand_into_another_shape, NULL, "stored_expand: (2 × 3) into (3 × 2)");
}
END_TEST

SUITE("stored", every_number_of_two_bytes_becomes_the_float_that_it_is_and_comes_back,
      floats_become_the_nearest_number_and_ties_go_to_even, floats_of_any_size_become_the_nearest_number,
      a_matrix_is_rounded_element_by_element_and_expanded_from_any_address, shapes_are_compared)
