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
    Stored stored = {2, 3, STORED_F32, values, NULL, false};
    Matrix out = {3, 2, values};
    stored_expand(out, stored);
}

START_TEST(shapes_are_compared)
{
    expect_death(expand_into_another_shape, NULL, "stored_expand: (2 × 3) into (3 × 2)");
}
END_TEST

// ---- INT8 -----------------------------------------------------------------------------------------------------------------

START_TEST(whole_numbers_are_at_most_half_a_step_away)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(8, 3);
    enum { ROWS = 200, COLS = 37 };
    Matrix m = matrix_new(arena, ROWS, COLS), out = matrix_new(arena, ROWS, COLS);
    fill_normal(m, &rng, 0, 1);
    for (int i = 0; i < ROWS; i++) // of all sizes that floats have
        for (int j = 0; j < COLS; j++) AT(m, i, j) *= (float)ldexp(1.0, 1 - i * 147 / (ROWS - 1));
    for (int j = 0; j < COLS; j++) AT(m, 7, j) = 0.0f, AT(m, 8, j) = j % 2 ? 3.4e38f : -1.0f;
    Stored q = stored_quantise(arena, m);
    const signed char *whole = q.data;
    stored_expand(out, q);
    for (int i = 0; i < ROWS; i++) {
        const double scale = (double)q.scale[i];
        for (int j = 0; j < COLS; j++) {
            const int number = whole[(i / 32 * COLS + j) * 32 + i % 32];
            const double exact = scale * number, w = (double)AT(m, i, j);
            ck_assert_msg(abs(number) <= 127 && fabs(w - exact) <= scale / 2, "(%d, %d): %a is %d · %a", i, j,
                          w, number, scale);
            ck_assert(AT(out, i, j) == (float)exact);
        }
        float most = 0.0f;
        for (int j = 0; j < COLS; j++) most = fmaxf(most, fabsf(AT(m, i, j)));
        ck_assert(127.0 * scale >= (double)most);
        if (most > 0.0f) ck_assert(127.0 * (double)nextafterf(q.scale[i], 0.0f) < (double)most);
    }
    ck_assert(q.scale[7] == 0.0f && AT(out, 7, 3) == 0.0f && AT(out, 8, 0) == 0.0f);
    arena_free(arena);
}
END_TEST

static void quantise_infinity(void *value)
{
    Matrix m = {1, 1, value};
    stored_quantise(arena_new(), m);
}

START_TEST(what_is_not_finite_has_no_whole_number)
{
    float endless = -INFINITY, none = NAN;
    expect_death(quantise_infinity, &endless, "stored_quantise: element (0, 0) is -inf");
    expect_death(quantise_infinity, &none, "stored_quantise: element (0, 0) is");
}
END_TEST

// ---- Products -------------------------------------------------------------------------------------------------------------

// Row by row, what lies in strips: INT8 as well, which nothing in the library makes so.
static Stored in_rows(Arena *arena, Stored strips)
{
    const size_t size = stored_element_bytes(strips.kind), cols = (size_t)strips.cols;
    Stored m = strips;
    m.strips = false;
    char *to = arena_alloc(arena, stored_bytes(m), 1);
    for (size_t i = 0; i < (size_t)m.rows; i++)
        for (size_t j = 0; j < cols; j++)
            memcpy(to + (i * cols + j) * size,
                   (const char *)strips.data + (i / 32 * 32 * cols + j * 32 + i % 32) * size, size);
    m.data = to;
    return m;
}

static Stored in_kind(Arena *arena, Matrix m, int kind, bool strips)
{
    const Stored floats = {m.rows, m.cols, STORED_F32, m.data, NULL, false};
    const Stored stored =
        kind == STORED_INT8 ? stored_quantise(arena, m) : stored_convert(arena, floats, (StoredKind)kind);
    ck_assert(stored.strips);
    return strips ? stored : in_rows(arena, stored);
}

static void expect_bits(Matrix expected, Matrix got, const char *what, int kind, Stored m)
{
    for (size_t i = 0; i < matrix_size(expected); i++)
        ck_assert_msg(bits_of(expected.data[i]) == bits_of(got.data[i]),
                      "%s, kind %d%s, weights (%d × %d), %d rows: number %zu is %a, expected %a", what, kind,
                      m.strips ? " in strips" : "", m.rows, m.cols, got.rows, i, (double)got.data[i],
                      (double)expected.data[i]);
}

// Both products with weights that begin anywhere, against three loops, and against the product of floats; of INT8, the first
// with whole numbers and then with the scales.
static void compare(Arena *arena, Rng *rng, int rows, int outputs, int terms)
{
    Matrix w = matrix_new(arena, outputs, terms), x = matrix_new(arena, rows, terms),
           z = matrix_new(arena, rows, outputs);
    Matrix floats = matrix_new(arena, outputs, terms), unscaled = matrix_new(arena, outputs, terms);
    Matrix got = matrix_new(arena, rows, outputs), expected = matrix_new(arena, rows, outputs);
    Matrix got_columns = matrix_new(arena, rows, terms), expected_columns = matrix_new(arena, rows, terms);
    fill_normal(w, rng, 0, 0.02f);
    fill_normal(x, rng, 0, 1);
    fill_normal(z, rng, 0, 1);
    for (int layout = 0; layout < 2 * (STORED_INT8 + 1); layout++) {
        const int kind = layout / 2;
        Stored m = in_kind(arena, w, kind, layout % 2);
        unsigned char *moved = arena_alloc(arena, stored_bytes(m) + 5, 1);
        memcpy(moved + 5, m.data, stored_bytes(m));
        m.data = moved + 5;
        fill(got, 7.0f);
        fill(got_columns, 7.0f);
        stored_expand(floats, m);
        stored_matmul_nt(got, x, m);
        stored_matmul_nt_naive(expected, x, m);
        expect_bits(expected, got, "naive", kind, m);
        Stored whole = m;
        whole.scale = NULL;
        stored_expand(unscaled, whole);
        matmul_nt(expected, x, unscaled);
        for (int i = 0; m.scale && i < rows; i++)
            for (int j = 0; j < outputs; j++) AT(expected, i, j) *= m.scale[j];
        expect_bits(expected, got, "floats", kind, m);
        stored_matmul(got_columns, z, m);
        matmul(expected_columns, z, floats);
        expect_bits(expected_columns, got_columns, "columns", kind, m);
    }
}

START_TEST(products_are_those_of_the_floats_bit_for_bit)
{
    static const int shapes[][3] = {
        {1, 1, 1},    {1, 31, 7},     {1, 33, 65},   {2, 32, 64},  {3, 40, 129}, {4, 65, 200}, {5, 129, 257},
        {5, 9, 300},  {17, 130, 513}, {1, 200, 31},  {2, 5, 1023}, {64, 3, 96},  {1, 0, 5},    {3, 5, 0},
        {9, 140, 0},  {0, 5, 5},      {130, 33, 70}, {1, 1, 64},   {2, 31, 65},  {1, 64, 33},  {3, 96, 31},
        {4, 257, 64}, {2, 300, 129},  {1, 417, 99},  {1, 700, 288}};
    Rng rng = rng_new(9, 1);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Arena *arena = arena_new();
        compare(arena, &rng, shapes[i][0], shapes[i][1], shapes[i][2]);
        arena_free(arena);
    }
}
END_TEST

// Every half and every bfloat16 that is finite, times 1, alone in its sum: by few rows and by many.
START_TEST(products_read_every_number_of_two_bytes)
{
    enum { COLS = 96, ROWS = 700 }; // 67200 numbers
    Arena *arena = arena_new();
    static uint16_t words[ROWS * COLS];
    Matrix x = matrix_new(arena, COLS, COLS), one = matrix_new(arena, 1, COLS),
           got = matrix_new(arena, COLS, ROWS), got_one = matrix_new(arena, 1, ROWS);
    for (int i = 0; i < COLS; i++) AT(x, i, i) = 1.0f;
    for (int layout = 2 * STORED_F16; layout < 2 * STORED_INT8; layout++) {
        const StoredKind kind = (StoredKind)(layout / 2);
        const uint16_t endless = kind == STORED_F16 ? 0x7c00 : 0x7f80;
        for (int i = 0; i < ROWS * COLS; i++) words[i] = (uint16_t)((i & endless) == endless ? 0 : i);
        Stored m = {ROWS, COLS, kind, words, NULL, false};
        if (layout % 2) m = stored_convert(arena, m, kind);
        float row[COLS];
        stored_matmul_nt(got, x, m);
        for (int i = 0; i < ROWS; i++) {
            stored_row(row, m, i);
            for (int k = 0; k < COLS; k++)
                ck_assert_msg(row[k] == AT(got, k, i), "%04x: %a", words[i * COLS + k],
                              (double)AT(got, k, i));
        }
        for (int k = 0; k < COLS; k++) {
            fill(one, 0.0f);
            one.data[k] = 1.0f;
            stored_matmul_nt(got_one, one, m);
            for (int i = 0; i < ROWS; i++)
                ck_assert_msg(AT(got, k, i) == got_one.data[i], "%04x: %a", words[i * COLS + k],
                              (double)got_one.data[i]);
        }
    }
    arena_free(arena);
}
END_TEST

// A strip ends with rows of zeros, the matrix with its last row: another layout, the same numbers and the same bytes of them.
START_TEST(strips_hold_column_behind_column_and_end_with_zeros)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(3, 5);
    enum { ROWS = 33, COLS = 5 };
    Matrix m = matrix_new(arena, ROWS, COLS), out = matrix_new(arena, ROWS, COLS);
    fill_normal(m, &rng, 0, 1);
    const Stored rows = stored_from(arena, m, STORED_F32), strips = stored_convert(arena, rows, STORED_F32),
                 again = stored_convert(arena, strips, STORED_F32);
    ck_assert(!rows.strips && strips.strips && again.strips);
    ck_assert_uint_eq(stored_bytes(rows), ROWS * COLS * sizeof(float));
    ck_assert_uint_eq(stored_bytes(strips), 64 * COLS * sizeof(float));
    const float *data = strips.data;
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < COLS; j++)
            ck_assert(data[i / 32 * 32 * COLS + 32 * j + i % 32] == (i < ROWS ? AT(m, i, j) : 0.0f));
    ck_assert(memcmp(again.data, strips.data, stored_bytes(strips)) == 0);
    stored_expand(out, strips);
    ck_assert(memcmp(out.data, m.data, stored_bytes(rows)) == 0);
    arena_free(arena);
}
END_TEST

START_TEST(infinity_and_nan_go_through_a_product)
{
    Arena *arena = arena_new();
    const uint16_t odd[2][2] = {{0xfc00, 0x7e01}, {0xff80, 0x7fc1}};
    for (int layout = 2 * STORED_F16; layout < 2 * STORED_INT8; layout++) {
        const StoredKind kind = (StoredKind)(layout / 2);
        uint16_t weights[2 * 64] = {odd[kind - STORED_F16][0]};
        weights[64] = odd[kind - STORED_F16][1];
        Stored m = {2, 64, kind, weights, NULL, false};
        if (layout % 2) m = stored_convert(arena, m, kind);
        Matrix ones = matrix_new(arena, 5, 64), out = matrix_new(arena, 5, 2),
               first = matrix_new(arena, 1, 2);
        fill(ones, 1.0f);
        stored_matmul_nt(out, ones, m);
        stored_matmul_nt(first, matrix_rows(ones, 0, 1), m);
        ck_assert(AT(out, 4, 0) == -INFINITY && isnan(AT(out, 4, 1)));
        ck_assert(AT(first, 0, 0) == -INFINITY && isnan(AT(first, 0, 1)));
    }
    arena_free(arena);
}
END_TEST

START_TEST(rows_are_gathered_as_floats)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(4, 4);
    Matrix m = matrix_new(arena, 6, 5), all = matrix_new(arena, 6, 5), out = matrix_new(arena, 3, 5);
    fill_normal(m, &rng, 0, 1);
    const int rows[3] = {5, 0, 5};
    for (int layout = 0; layout < 2 * (STORED_INT8 + 1); layout++) {
        Stored stored = in_kind(arena, m, layout / 2, layout % 2);
        stored_expand(all, stored);
        stored_gather_rows(out, stored, rows);
        for (int i = 0; i < 3; i++) ck_assert(memcmp(matrix_row(out, i), matrix_row(all, rows[i]), 20) == 0);
    }
    arena_free(arena);
}
END_TEST

static void gather_beyond(void *context)
{
    float values[4] = {0}, out[2];
    Stored m = {2, 2, STORED_F32, values, NULL, false};
    stored_gather_rows(((Matrix){1, 2, out}), m, (const int *)context);
}

static void multiply_other_shapes(void *context)
{
    float values[6] = {0}, out[4];
    Stored m = {2, 3, STORED_F32, values, NULL, false};
    Matrix x = {2, 2, out};
    (*(bool *)context ? stored_matmul_nt_at : stored_matmul_at)(HERE, ((Matrix){2, 2, values}), x, m);
}

START_TEST(rows_that_are_not_there_and_shapes_that_do_not_fit_are_refused)
{
    int beyond = 2, before = -1;
    bool transposed = true, plain = false;
    expect_death(gather_beyond, &beyond, "stored_gather_rows: row 2 of 2");
    expect_death(gather_beyond, &before, "stored_gather_rows: row -1 of 2");
    expect_death(multiply_other_shapes, &transposed, "stored_matmul_nt: (2 × 2) · (2 × 3)ᵀ → (2 × 2)");
    expect_death(multiply_other_shapes, &plain, "stored_matmul: (2 × 2) · (2 × 3) → (2 × 2)");
}
END_TEST

SUITE("stored", every_number_of_two_bytes_becomes_the_float_that_it_is_and_comes_back,
      floats_become_the_nearest_number_and_ties_go_to_even, floats_of_any_size_become_the_nearest_number,
      a_matrix_is_rounded_element_by_element_and_expanded_from_any_address, shapes_are_compared,
      whole_numbers_are_at_most_half_a_step_away, what_is_not_finite_has_no_whole_number,
      products_are_those_of_the_floats_bit_for_bit, strips_hold_column_behind_column_and_end_with_zeros,
      products_read_every_number_of_two_bytes, infinity_and_nan_go_through_a_product,
      rows_are_gathered_as_floats, rows_that_are_not_there_and_shapes_that_do_not_fit_are_refused)
