// stored.c: matrices in the formats of files. See stored.h.
#include "matrix/stored.h"
#include "base/parallel.h"

#include <string.h>

size_t stored_element_bytes(StoredKind kind) { return kind == STORED_F32 ? 4 : 2; }

const char *stored_kind_name(StoredKind kind)
{
    static const char *const names[] = {"F32", "F16", "BF16"};
    return names[kind];
}

// ---- One number -------------------------------------------------------------------------------------------------------
// A float is sign · 2^(exponent − 127) · 1.fraction in 1, 8 and 23 bits; a half has 15 in place of 127, 5 and 10 bits.

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

enum { FLOAT_INFINITY = 0x7f800000, BIAS = (127 - 15) << 23 };

// Without branches, so that a loop of these becomes vectors. Below 2⁻¹⁴ the fraction has no 1 in front: put there and
// taken off again.
static inline float half_value(uint16_t half)
{
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t normal = magnitude + BIAS;
    const uint32_t subnormal = bits_of(of_bits(magnitude + BIAS + (1 << 23)) - 0x1p-14f);
    const uint32_t endless = magnitude | FLOAT_INFINITY; // infinity, or a NaN with its bits
    const uint32_t finite = magnitude < 1 << 23 ? subnormal : normal;
    return of_bits(sign | (magnitude < 31 << 23 ? finite : endless));
}

static inline float bfloat16_value(uint16_t bfloat16) { return of_bits((uint32_t)bfloat16 << 16); }

float half_to_float(uint16_t half) { return half_value(half); }
float bfloat16_to_float(uint16_t bfloat16) { return bfloat16_value(bfloat16); }

uint16_t float_to_half(float value)
{
    const uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
    if (magnitude > FLOAT_INFINITY)
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff)); // NaN, quiet
    if (magnitude >= bits_of(65520.0f)) return (uint16_t)(sign | 0x7c00);
    // Below 2⁻¹⁴ steps are 2⁻²⁴, as those of floats from ½ to 1: adding rounds.
    if (magnitude < bits_of(0x1p-14f))
        return (uint16_t)(sign | (bits_of(of_bits(magnitude) + 0.5f) - bits_of(0.5f)));
    const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1); // a carry goes on into the exponent
    return (uint16_t)(sign | (rounded - BIAS) >> 13);
}

uint16_t float_to_bfloat16(float value)
{
    const uint32_t bits = bits_of(value);
    if ((bits & 0x7fffffff) > FLOAT_INFINITY) return (uint16_t)(bits >> 16 | 0x40); // NaN, quiet
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// ---- Many -------------------------------------------------------------------------------------------------------------

static inline uint16_t word_at(const unsigned char *bytes, size_t i)
{
    uint16_t word;
    memcpy(&word, bytes + 2 * i, sizeof word);
    return word;
}

// count elements at bytes as floats
static void expand(float *restrict out, StoredKind kind, const unsigned char *restrict bytes, size_t count)
{
    switch (kind) {
    case STORED_F32:
        memcpy(out, bytes, count * sizeof *out);
        break;
    case STORED_F16:
        for (size_t i = 0; i < count; i++) out[i] = half_value(word_at(bytes, i));
        break;
    case STORED_BF16:
        for (size_t i = 0; i < count; i++) out[i] = bfloat16_value(word_at(bytes, i));
        break;
    }
}

static const unsigned char *row_bytes(Stored m, int i)
{
    return (const unsigned char *)m.data + (size_t)i * (size_t)m.cols * stored_element_bytes(m.kind);
}

void stored_row(float *out, Stored m, int i)
{
    if (m.cols) expand(out, m.kind, row_bytes(m, i), (size_t)m.cols);
}

void stored_expand_at(Place place, Matrix out, Stored m)
{
    check_at(place, out.rows == m.rows && out.cols == m.cols, "the result has the shape of what is stored",
             "stored_expand: (%d × %d) into (%d × %d)", m.rows, m.cols, out.rows, out.cols);
#pragma omp parallel for if (parallel_worth(matrix_size(out)))
    for (int i = 0; i < m.rows; i++) stored_row(matrix_row(out, i), m, i);
}

Stored stored_from_at(Place place, Arena *arena, Matrix m, StoredKind kind)
{
    const size_t count = matrix_size(m);
    void *data = arena_alloc_at(place, arena, count, stored_element_bytes(kind));
    uint16_t *words = data;
    switch (kind) {
    case STORED_F32:
        if (count) memcpy(data, m.data, count * sizeof *m.data);
        break;
    case STORED_F16:
        for (size_t i = 0; i < count; i++) words[i] = float_to_half(m.data[i]);
        break;
    case STORED_BF16:
        for (size_t i = 0; i < count; i++) words[i] = float_to_bfloat16(m.data[i]);
        break;
    }
    return (Stored){m.rows, m.cols, kind, data};
}
