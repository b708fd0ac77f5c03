// stored.c: matrices in the formats of files. See stored.h.
#include "matrix/stored.h"
#include "base/mathf.h"
#include "base/parallel.h"
#include "matrix/gemm.h"
#include "matrix/vectors.h"

#include <string.h>

size_t stored_element_bytes(StoredKind kind) { return kind == STORED_F32 ? 4 : kind == STORED_INT8 ? 1 : 2; }

const char *stored_kind_name(StoredKind kind)
{
    static const char *const names[] = {"F32", "F16", "BF16", "I8"};
    return names[kind];
}

// ---- One number -------------------------------------------------------------------------------------------------------
// A float is sign · 2^(exponent − 127) · 1.fraction in 1, 8 and 23 bits; a half has 15 in place of 127, 5 and 10 bits.

enum { FLOAT_INFINITY = 0x7f800000, BIAS = (127 - 15) << 23 };

// Without branches, so that a loop of these becomes vectors. Below 2⁻¹⁴ the fraction has no 1 in front: put there and
// taken off again.
static inline float half_value(uint16_t half)
{
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t normal = magnitude + BIAS;
    const uint32_t subnormal = float_to_bits(float_from_bits(magnitude + BIAS + (1 << 23)) - 0x1p-14f);
    const uint32_t endless = magnitude | FLOAT_INFINITY; // infinity, or a NaN with its bits
    const uint32_t finite = magnitude < 1 << 23 ? subnormal : normal;
    return float_from_bits(sign | (magnitude < 31 << 23 ? finite : endless));
}

static inline float bfloat16_value(uint16_t bfloat16) { return float_from_bits((uint32_t)bfloat16 << 16); }

float half_to_float(uint16_t half) { return half_value(half); }
float bfloat16_to_float(uint16_t bfloat16) { return bfloat16_value(bfloat16); }

uint16_t float_to_half(float value)
{
    const uint32_t bits = float_to_bits(value), magnitude = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
    if (magnitude > FLOAT_INFINITY)
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff)); // NaN, quiet
    if (magnitude >= float_to_bits(65520.0f)) return (uint16_t)(sign | 0x7c00);
    // Below 2⁻¹⁴ steps are 2⁻²⁴, as those of floats from ½ to 1: adding rounds.
    if (magnitude < float_to_bits(0x1p-14f))
        return (uint16_t)(sign | (float_to_bits(float_from_bits(magnitude) + 0.5f) - float_to_bits(0.5f)));
    const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1); // a carry goes on into the exponent
    return (uint16_t)(sign | (rounded - BIAS) >> 13);
}

uint16_t float_to_bfloat16(float value)
{
    const uint32_t bits = float_to_bits(value);
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

// count elements of a row at bytes as floats
static void expand(float *restrict out, StoredKind kind, const unsigned char *restrict bytes, float scale,
                   size_t count)
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
    case STORED_INT8:
        for (size_t i = 0; i < count; i++) out[i] = scale * (float)(signed char)bytes[i];
        break;
    }
}

// Where element (i, j) stands, counted in elements; the next of the row comes `step` further on.
static size_t element_at(Stored m, int i, int j)
{
    const size_t row = (size_t)i, cols = (size_t)m.cols, width = STORED_STRIP;
    return m.strips ? row / width * width * cols + (size_t)j * width + row % width : row * cols + (size_t)j;
}

static size_t element_step(Stored m) { return m.strips ? STORED_STRIP : 1; }

// The elements first … first + count − 1 of row i
static void expand_part(float *out, Stored m, int i, int first, int count)
{
    const size_t size = stored_element_bytes(m.kind), step = size * element_step(m);
    const float scale = m.scale ? m.scale[i] : 1.0f;
    const unsigned char *from = (const unsigned char *)m.data + size * element_at(m, i, first);
    if (!m.strips) {
        if (count) expand(out, m.kind, from, scale, (size_t)count);
        return;
    }
    for (int j = 0; j < count; j++) expand(out + j, m.kind, from + (size_t)j * step, scale, 1);
}

void stored_row(float *out, Stored m, int i) { expand_part(out, m, i, 0, m.cols); }

void stored_expand_at(Place place, Matrix out, Stored m)
{
    check_at(place, out.rows == m.rows && out.cols == m.cols, "the result has the shape of what is stored",
             "stored_expand: (%d × %d) into (%d × %d)", m.rows, m.cols, out.rows, out.cols);
    PARALLEL_FOR(parallel_worth(matrix_size(out)), i, m.rows, stored_row(matrix_row(out, i), m, i));
}

void stored_gather_rows_at(Place place, Matrix out, Stored m, const int *indices)
{
    check_at(place, out.cols == m.cols, "rows of the same length",
             "stored_gather_rows: rows of %d into (%d × %d)", m.cols, out.rows, out.cols);
    for (int i = 0; i < out.rows; i++) {
        check_at(place, indices[i] >= 0 && indices[i] < m.rows, "are the numbers those of this table?",
                 "stored_gather_rows: row %d of %d", indices[i], m.rows);
        stored_row(matrix_row(out, i), m, indices[i]);
    }
}

// The smallest float that is at least largest / 127: rounded up, so that no element is beyond ±127.
static float scale_for(float largest)
{
    const float scale = largest / 127.0f;
    return 127.0 * (double)scale < (double)largest ? float_from_bits(float_to_bits(scale) + 1) : scale;
}

// The first of the numbers that is not finite, or count
static int first_endless(const float *row, int count)
{
    int j = 0;
    while (j < count && (float_to_bits(row[j]) & 0x7fffffff) < FLOAT_INFINITY) j++;
    return j;
}

static void check_finite(Place place, const float *row, int cols, int i)
{
    const int j = first_endless(row, cols);
    check_at(place, j == cols, "has training gone wrong?", "stored_quantise: element (%d, %d) is %g", i, j,
             (double)row[j]);
}

// out: every `step`-th number
static void quantise_row(signed char *out, size_t step, float *scale, const float *row, int cols)
{
    float largest = 0.0f;
    for (int j = 0; j < cols; j++) {
        const float size = __builtin_fabsf(row[j]);
        largest = size > largest ? size : largest;
    }
    *scale = scale_for(largest);
    for (int j = 0; j < cols; j++)
        out[(size_t)j * step] =
            largest > 0.0f ? (signed char)__builtin_rint((double)row[j] / (double)*scale) : 0;
}

// A matrix of this kind whose rows are about to be set.
typedef struct {
    Stored stored;
    void *data;
    float *scale;
} Writable;

// The rows that pad the last strip are zeros.
static Writable writable(Place place, Arena *arena, int rows, int cols, StoredKind kind, bool strips)
{
    Writable w = {.stored = {.rows = rows, .cols = cols, .kind = kind, .strips = strips}};
    const size_t bytes = stored_bytes(w.stored), padded = stored_padded_rows(w.stored);
    w.stored.data = w.data = arena_alloc_at(place, arena, bytes, 1);
    if (kind == STORED_INT8) w.stored.scale = w.scale = arena_zeros_at(place, arena, padded, sizeof *w.scale);
    if (padded > (size_t)rows) {
        const size_t strip = bytes / padded * STORED_STRIP;
        memset((char *)w.data + bytes - strip, 0, strip);
    }
    return w;
}

// What becomes INT8 is finite.
static void set_row(const Writable *w, int i, const float *row)
{
    const int cols = w->stored.cols;
    const size_t first = element_at(w->stored, i, 0), step = element_step(w->stored);
    uint16_t *words = (uint16_t *)w->data + first;
    switch (w->stored.kind) {
    case STORED_F32:
        for (int j = 0; j < cols; j++) ((float *)w->data)[first + (size_t)j * step] = row[j];
        break;
    case STORED_F16:
        for (int j = 0; j < cols; j++) words[(size_t)j * step] = float_to_half(row[j]);
        break;
    case STORED_BF16:
        for (int j = 0; j < cols; j++) words[(size_t)j * step] = float_to_bfloat16(row[j]);
        break;
    case STORED_INT8:
        quantise_row((signed char *)w->data + first, step, &w->scale[i], row, cols);
        break;
    }
}

static Stored stored_as(Place place, Arena *arena, Matrix m, StoredKind kind, bool strips)
{
    const Writable w = writable(place, arena, m.rows, m.cols, kind, strips);
    for (int i = 0; i < m.rows; i++) {
        if (kind == STORED_INT8) check_finite(place, matrix_row(m, i), m.cols, i);
        set_row(&w, i, matrix_row(m, i));
    }
    return w.stored;
}

Stored stored_from_at(Place place, Arena *arena, Matrix m, StoredKind kind)
{
    check_at(place, kind != STORED_INT8, "stored_quantise makes it, with a scale for each row",
             "stored_from: INT8");
    return stored_as(place, arena, m, kind, false);
}

Stored stored_quantise_at(Place place, Arena *arena, Matrix m)
{
    return stored_as(place, arena, m, STORED_INT8, true);
}

Stored stored_convert_at(Place place, Arena *arena, Stored m, StoredKind kind)
{
    const Writable w = writable(place, arena, m.rows, m.cols, kind, true);
    ArenaMark mark = arena_mark(arena);
    float *rows = arena_alloc_at(place, arena, (size_t)parallel_threads() * (size_t)m.cols, sizeof *rows);
    int wrong =
        m.rows; // the first row that cannot be quantised: a program is not stopped by one thread of many
#pragma omp parallel for reduction(min : wrong) if (parallel_worth(stored_size(m)))
    for (int i = 0; i < m.rows; i++) {
        float *row = rows + (size_t)parallel_number() * (size_t)m.cols;
        stored_row(row, m, i);
        if (kind == STORED_INT8 && first_endless(row, m.cols) < m.cols) {
            wrong = int_min(wrong, i);
        } else {
            set_row(&w, i, row);
        }
    }
    if (wrong < m.rows) {
        stored_row(rows, m, wrong);
        check_finite(place, rows, m.cols, wrong);
    }
    arena_rewind(arena, mark);
    return w.stored;
}

// ---- From strips, with few rows of x ---------------------------------------------------------------------------------
// The numbers of one column stand beside each other for STORED_STRIP outputs: they become floats in registers, go into the sums and are
// written nowhere.

enum { FEW = 4, PARTS = STORED_STRIP / VECTOR_LANES };
enum {
    LINE = 64,
    AHEAD = 2048
}; // bytes that come from memory together; what is wanted soon is asked for AHEAD bytes early

typedef uint32_t UnsignedLanes __attribute__((vector_size(VECTOR_LANES * sizeof(uint32_t))));
typedef int32_t IntegerLanes __attribute__((vector_size(VECTOR_LANES * sizeof(int32_t))));
typedef float FloatLanes __attribute__((vector_size(VECTOR_LANES * sizeof(float))));

// VECTOR_LANES signed bytes, and as many words without a sign, as numbers of 32 bits
#if defined(__AVX512F__)
INLINE IntegerLanes bytes_at(const unsigned char *p)
{
    return (IntegerLanes)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}
INLINE UnsignedLanes words_at(const unsigned char *p)
{
    return (UnsignedLanes)_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
#elif defined(__AVX2__) && defined(__FMA__)
INLINE IntegerLanes bytes_at(const unsigned char *p)
{
    return (IntegerLanes)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
}
INLINE UnsignedLanes words_at(const unsigned char *p)
{
    return (UnsignedLanes)_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}
#else
INLINE IntegerLanes bytes_at(const unsigned char *p)
{
    signed char bytes[VECTOR_LANES];
    memcpy(bytes, p, sizeof bytes);
    IntegerLanes numbers;
    for (int i = 0; i < VECTOR_LANES; i++) numbers[i] = bytes[i];
    return numbers;
}
INLINE UnsignedLanes words_at(const unsigned char *p)
{
    UnsignedLanes numbers;
    for (int i = 0; i < VECTOR_LANES; i++) numbers[i] = word_at(p, (size_t)i);
    return numbers;
}
#endif

// VECTOR_LANES numbers that stand beside each other; of INT8 the whole numbers
INLINE Vector numbers_at(const StoredKind kind, const unsigned char *from)
{
    if (kind == STORED_F32) {
        Vector floats;
        memcpy(&floats, from, sizeof floats);
        return floats;
    }
    if (kind == STORED_INT8) return (Vector) __builtin_convertvector(bytes_at(from), FloatLanes);
    const UnsignedLanes upper = words_at(from) << 16;
    if (kind == STORED_BF16) return (Vector)upper;
    const UnsignedLanes bits = (UnsignedLanes)((IntegerLanes)upper >> 3) & 0x8fffe000;
    const UnsignedLanes endless = (UnsignedLanes)((bits & 31 << 23) == 31 << 23) & FLOAT_INFINITY;
    return (Vector)((UnsignedLanes)((FloatLanes)bits * 0x1p112f) | endless);
}

// AT_ONCE strips are read side by side. A chain of sums waits four cycles for each of its terms, so there have to be many;
// and a core that reads from four places gets more from memory than from one. With more rows of x there are sums enough, and as many
// as registers hold.
enum { AT_ONCE = VECTOR_LANES == 16 ? 4 : 2 };

// The term k of all sums
INLINE void add_terms(const StoredKind kind, const int rows, const int strips,
                      Vector sum[FEW][AT_ONCE][PARTS], Matrix x, int k,
                      const unsigned char *const from[AT_ONCE])
{
    const size_t part = VECTOR_LANES * stored_element_bytes(kind), at = (size_t)k * PARTS * part;
    Vector factor[FEW];
    UNROLL
    for (int i = 0; i < rows; i++) factor[i] = broadcast(x.data[(size_t)i * (size_t)x.cols + (size_t)k]);
    UNROLL
    for (int s = 0; s < strips; s++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            const Vector numbers = numbers_at(kind, from[s] + at + (size_t)p * part);
            UNROLL
            for (int i = 0; i < rows; i++) sum[i][s][p] = fused(factor[i], numbers, sum[i][s][p]);
        }
    }
}

// out[i][j] = Σ_k x[i][k] · m[j][k] for so many rows of x and so many strips of m: number `first`, and each `apart` strips behind
// the one before.
INLINE void strip_products(const StoredKind kind, const int rows, const int strips, Matrix out, Matrix x,
                           Stored m, int first, int apart)
{
    const size_t column = STORED_STRIP * stored_element_bytes(kind), strip = (size_t)m.cols * column;
    const int step = LINE > column ? (int)(LINE / column) : 1; // columns that fill a line of the cache
    const unsigned char *from[AT_ONCE];
    Vector sum[FEW][AT_ONCE][PARTS];
    UNROLL
    for (int s = 0; s < strips; s++) {
        const size_t number = (size_t)first + (size_t)s * (size_t)apart;
        from[s] = (const unsigned char *)m.data + number * strip;
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            UNROLL
            for (int i = 0; i < rows; i++) sum[i][s][p] = broadcast(0.0f);
        }
    }
    int k = 0;
    for (; k + step <= m.cols; k += step) {
        UNROLL
        for (int s = 0; s < strips; s++) {
            UNROLL
            for (size_t line = 0; line < (size_t)step * column; line += LINE)
                __builtin_prefetch((const void *)((uintptr_t)from[s] + (size_t)k * column + AHEAD + line), 0,
                                   2);
        }
        UNROLL
        for (int t = 0; t < step; t++) add_terms(kind, rows, strips, sum, x, k + t, from);
    }
    for (; k < m.cols; k++) add_terms(kind, rows, strips, sum, x, k, from);
    for (int i = 0; i < rows; i++) {
        for (int s = 0; s < strips; s++) {
            const int begin = (first + s * apart) * STORED_STRIP,
                      count = int_min(STORED_STRIP, m.rows - begin);
            memcpy(matrix_row(out, i) + begin, sum[i][s], (size_t)count * sizeof(float));
        }
    }
}

// The strips first … last − 1 of one matrix, from `strips` places at once, each of which is read to its end and on
INLINE void strips_of_rows(const StoredKind kind, const int rows, const int strips, Matrix out, Matrix x,
                           Stored m, int first, int last)
{
    const int apart = (last - first) / strips, rest = first + strips * apart;
    for (int s = 0; s < apart; s++) strip_products(kind, rows, strips, out, x, m, first + s, apart);
    for (int s = rest; s < last && strips > 1; s++) strip_products(kind, rows, 1, out, x, m, s, 1);
}

INLINE void strips_of_kind(const StoredKind kind, Matrix out, Matrix x, Stored m, int first, int last)
{
    switch (x.rows) {
    case 1:
        strips_of_rows(kind, 1, AT_ONCE, out, x, m, first, last);
        break;
    case 2:
        strips_of_rows(kind, 2, AT_ONCE / 2, out, x, m, first, last);
        break;
    case 3:
        strips_of_rows(kind, 3, 1, out, x, m, first, last);
        break;
    default:
        strips_of_rows(kind, 4, 1, out, x, m, first, last);
    }
}

static void strips_f32(Matrix out, Matrix x, Stored m, int first, int last)
{
    strips_of_kind(STORED_F32, out, x, m, first, last);
}
static void strips_f16(Matrix out, Matrix x, Stored m, int first, int last)
{
    strips_of_kind(STORED_F16, out, x, m, first, last);
}
static void strips_bf16(Matrix out, Matrix x, Stored m, int first, int last)
{
    strips_of_kind(STORED_BF16, out, x, m, first, last);
}
static void strips_int8(Matrix out, Matrix x, Stored m, int first, int last)
{
    strips_of_kind(STORED_INT8, out, x, m, first, last);
}

// ---- Transposed on the way -------------------------------------------------------------------------------------------
// A row of the weights is a column of the product, so outputs have to become neighbours. SIDE rows are read SIDE words of 32 bits at a
// time; the square of words is transposed in registers, and only then a word becomes its one, two or four numbers: the fewer bytes a
// number has, the less there is to transpose.

enum { SIDE = VECTOR_LANES == 16 ? 16 : 8 };
typedef uint32_t Words __attribute__((vector_size(SIDE * sizeof(uint32_t))));
typedef uint64_t Pairs __attribute__((vector_size(SIDE * sizeof(uint32_t))));
typedef int32_t Integers __attribute__((vector_size(SIDE * sizeof(int32_t))));
typedef float Floats __attribute__((vector_size(SIDE * sizeof(float))));

// Processors interleave two vectors fastest within lanes of four words: words or pairs of words, from the lower or the upper half of
// each lane. Whole lanes are moved last.
#define SHUFFLE __builtin_shufflevector
#if defined(__AVX512F__)
#define LOWER_WORDS(a, b) SHUFFLE(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define UPPER_WORDS(a, b) SHUFFLE(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOWER_PAIRS(a, b) (Words) SHUFFLE((Pairs)(a), (Pairs)(b), 0, 8, 2, 10, 4, 12, 6, 14)
#define UPPER_PAIRS(a, b) (Words) SHUFFLE((Pairs)(a), (Pairs)(b), 1, 9, 3, 11, 5, 13, 7, 15)
#define FIRST_LANES(a, b) SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#define LAST_LANES(a, b)  SHUFFLE(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#define EVEN_LANES(a, b)  SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define ODD_LANES(a, b)   SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
#else
#define LOWER_WORDS(a, b) SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define UPPER_WORDS(a, b) SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOWER_PAIRS(a, b) (Words) SHUFFLE((Pairs)(a), (Pairs)(b), 0, 4, 2, 6)
#define UPPER_PAIRS(a, b) (Words) SHUFFLE((Pairs)(a), (Pairs)(b), 1, 5, 3, 7)
#define FIRST_LANES(a, b) SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define LAST_LANES(a, b)  SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#endif

INLINE void transpose_words(Words row[SIDE])
{
    // Four rows, in each lane a square of 4 × 4
    UNROLL
    for (int i = 0; i < SIDE; i += 4) {
        const Words a = LOWER_WORDS(row[i], row[i + 1]), b = UPPER_WORDS(row[i], row[i + 1]);
        const Words c = LOWER_WORDS(row[i + 2], row[i + 3]), d = UPPER_WORDS(row[i + 2], row[i + 3]);
        row[i] = LOWER_PAIRS(a, c), row[i + 1] = UPPER_PAIRS(a, c);
        row[i + 2] = LOWER_PAIRS(b, d), row[i + 3] = UPPER_PAIRS(b, d);
    }
    // Their lanes
    UNROLL
    for (int i = 0; i < 4; i++) {
        const Words a = FIRST_LANES(row[i], row[i + 4]), b = LAST_LANES(row[i], row[i + 4]);
#if defined(__AVX512F__)
        const Words c = FIRST_LANES(row[i + 8], row[i + 12]), d = LAST_LANES(row[i + 8], row[i + 12]);
        row[i] = EVEN_LANES(a, c), row[i + 4] = ODD_LANES(a, c);
        row[i + 8] = EVEN_LANES(b, d), row[i + 12] = ODD_LANES(b, d);
#else
        row[i] = a, row[i + 4] = b;
#endif
    }
}

// half_value of the upper halves of SIDE words: the bits where a float has its own, and a power of two for the other bias,
// which makes a subnormal half a normal float as well.
INLINE void upper_halves(Floats *out, const Words *word)
{
    const Words bits = (Words)((Integers)*word >> 3) & 0x8fffe000;
    const Words endless = (Words)((bits & 31 << 23) == 31 << 23) & FLOAT_INFINITY;
    *out = (Floats)((Words)((Floats)bits * 0x1p112f) | endless);
}

// Number `part` of each of SIDE words. Vectors go by address: to give them by value, processors without such registers have
// another way than those with them.
INLINE void decode(Floats *out, const StoredKind kind, const Words *word, const int part)
{
    if (kind == STORED_F16) {
        const Words moved = part ? *word : *word << 16;
        upper_halves(out, &moved);
    } else if (kind == STORED_BF16) {
        *out = (Floats)(part ? *word & 0xffff0000 : *word << 16);
    } else if (kind == STORED_INT8) {
        *out = __builtin_convertvector((Integers)(*word << (24 - 8 * part)) >> 24, Floats);
    } else {
        *out = (Floats)*word;
    }
}

// The square of words that begins here in each of SIDE rows, `row` bytes apart, transposed
INLINE void read_square(Words word[SIDE], const unsigned char *from, size_t row)
{
    UNROLL
    for (int r = 0; r < SIDE; r += 4) {
        memcpy(&word[r], from, sizeof *word);
        memcpy(&word[r + 1], from + row, sizeof *word);
        memcpy(&word[r + 2], from + 2 * row, sizeof *word);
        memcpy(&word[r + 3], from + 3 * row, sizeof *word);
        from += 4 * row;
    }
    transpose_words(word);
}

// ---- With few rows of x -------------------------------------------------------------------------------------------------
// The numbers go from the square into the sums and are written nowhere. STORED_STRIP outputs at once are four chains of sums for each
// row of x: a fused multiply-add takes four cycles, and the next of its chain waits for it.

enum { GROUPS = STORED_STRIP / SIDE, ROWS_AHEAD = 1024 };

// z += x · y, rounded once
INLINE void fused_side(Floats *z, float x, const Floats *y)
{
#if defined(__AVX512F__)
    *z = _mm512_fmadd_ps(_mm512_set1_ps(x), *y, *z);
#elif defined(__AVX2__) && defined(__FMA__)
    *z = _mm256_fmadd_ps(_mm256_set1_ps(x), *y, *z);
#else
    for (int i = 0; i < SIDE; i++) (*z)[i] = __builtin_fmaf(x, (*y)[i], (*z)[i]);
#endif
}

// The terms from k on, fewer than fill the squares, come to the sums total[count] of row i of x.
static void last_terms(float *total, Matrix x, int i, Stored m, int first, int count, int k)
{
    for (int j = 0; j < count; j++) {
        float rest[SIDE * sizeof(uint32_t)];
        expand_part(rest, m, first + j, k, m.cols - k);
        for (int t = k; t < m.cols; t++) total[j] = __builtin_fmaf(AT(x, i, t), rest[t - k], total[j]);
    }
}

// Of 32 rows at once the processor does not see that they are being read from left to right, so it is told what will be
// wanted soon: what stands ROWS_AHEAD bytes further on in SIDE rows, or as far into those of the next strip. An address behind the
// matrix does no harm. `at`: how far the rows have been read.
INLINE void bring_rows(const unsigned char *from, size_t row, size_t at)
{
    const size_t wanted = at + ROWS_AHEAD < row ? ROWS_AHEAD : ROWS_AHEAD + (STORED_STRIP - 1) * row;
    if (at % LINE) return;
    UNROLL
    for (int r = 0; r < SIDE; r++)
        __builtin_prefetch((const void *)((uintptr_t)from + (size_t)r * row + wanted), 0, 2);
}

// out[i][first + j] = Σ_k x[i][k] · m[first + j][k] for so many rows of x, from 1 to FEW, and j < count ≤ STORED_STRIP
INLINE void few_products(const StoredKind kind, const int rows, Matrix out, Matrix x, Stored m, int first,
                         int count)
{
    const int parts = kind == STORED_F32 ? 1 : kind == STORED_INT8 ? 4 : 2, side = SIDE * parts;
    const size_t row = (size_t)m.cols * stored_element_bytes(kind);
    // The last strip of a matrix begins so early that it is whole.
    const int begin = int_min(first, m.rows - STORED_STRIP);
    const unsigned char *from = (const unsigned char *)m.data + (size_t)begin * row;
    Floats sum[FEW][GROUPS] = {{{0}}};
    int k = 0;
    for (; k + side <= m.cols; k += side, from += sizeof(Words)) {
        UNROLL
        for (int g = 0; g < GROUPS; g++) {
            Words word[SIDE];
            bring_rows(from + (size_t)g * SIDE * row, row, (size_t)k * stored_element_bytes(kind));
            read_square(word, from + (size_t)g * SIDE * row, row);
            UNROLL
            for (int w = 0; w < SIDE; w++) {
                UNROLL
                for (int part = 0; part < parts; part++) {
                    const float *column = x.data + k + w * parts + part;
                    Floats numbers;
                    decode(&numbers, kind, &word[w], part);
                    UNROLL
                    for (int i = 0; i < rows; i++)
                        fused_side(&sum[i][g], column[(size_t)i * (size_t)x.cols], &numbers);
                }
            }
        }
    }
    for (int i = 0; i < rows; i++) {
        float total[STORED_STRIP];
        memcpy(total, sum[i], sizeof total);
        last_terms(total, x, i, m, begin, STORED_STRIP, k);
        memcpy(matrix_row(out, i) + first, total + first - begin, (size_t)count * sizeof *total);
    }
}

INLINE void few_products_of_kind(const StoredKind kind, Matrix out, Matrix x, Stored m, int first, int count)
{
    switch (x.rows) {
    case 1:
        few_products(kind, 1, out, x, m, first, count);
        break;
    case 2:
        few_products(kind, 2, out, x, m, first, count);
        break;
    case 3:
        few_products(kind, 3, out, x, m, first, count);
        break;
    default:
        few_products(kind, 4, out, x, m, first, count);
    }
}

static void few_f32(Matrix out, Matrix x, Stored m, int first, int count)
{
    few_products_of_kind(STORED_F32, out, x, m, first, count);
}
static void few_f16(Matrix out, Matrix x, Stored m, int first, int count)
{
    few_products_of_kind(STORED_F16, out, x, m, first, count);
}
static void few_bf16(Matrix out, Matrix x, Stored m, int first, int count)
{
    few_products_of_kind(STORED_BF16, out, x, m, first, count);
}
static void few_int8(Matrix out, Matrix x, Stored m, int first, int count)
{
    few_products_of_kind(STORED_INT8, out, x, m, first, count);
}

// ---- With many rows of x ------------------------------------------------------------------------------------------------
// A block of the weights becomes floats, which stay in the cache while gemm lets all rows of x meet them. gemm goes on with the
// sums where the last block left them.

enum { WIDE = 128, TERMS = 256 };

// to[t · WIDE + j] = the number k + t of row first + j of the weights, for SIDE rows and a whole number of squares of them; returns
// how many terms that are.
INLINE int expand_squares(const StoredKind kind, float *to, Stored m, int first, int k, int terms)
{
    const int parts = kind == STORED_F32 ? 1 : kind == STORED_INT8 ? 4 : 2, side = SIDE * parts;
    const size_t row = (size_t)m.cols * stored_element_bytes(kind);
    const unsigned char *from =
        (const unsigned char *)m.data + (size_t)first * row + (size_t)k * stored_element_bytes(kind);
    int t = 0;
    for (; t + side <= terms; t += side, from += sizeof(Words)) {
        Words word[SIDE];
        read_square(word, from, row);
        UNROLL
        for (int w = 0; w < SIDE; w++) {
            UNROLL
            for (int part = 0; part < parts; part++) {
                Floats numbers;
                decode(&numbers, kind, &word[w], part);
                memcpy(to + (t + w * parts + part) * WIDE, &numbers, sizeof numbers);
            }
        }
    }
    return t;
}

static int expand_squares_of_kind(float *to, Stored m, int first, int k, int terms)
{
    switch (m.kind) {
    case STORED_F32:
        return expand_squares(STORED_F32, to, m, first, k, terms);
    case STORED_F16:
        return expand_squares(STORED_F16, to, m, first, k, terms);
    case STORED_BF16:
        return expand_squares(STORED_BF16, to, m, first, k, terms);
    default:
        return expand_squares(STORED_INT8, to, m, first, k, terms);
    }
}

// The same of strips, for all terms; `first` begins one.
INLINE void expand_strips(const StoredKind kind, float *to, Stored m, int first, int count, int k, int terms)
{
    const size_t part = VECTOR_LANES * stored_element_bytes(kind);
    for (int j = 0; j < count; j += VECTOR_LANES) {
        const unsigned char *from =
            (const unsigned char *)m.data + stored_element_bytes(kind) * element_at(m, first + j, k);
        for (int t = 0; t < terms; t++)
            store(to + (size_t)t * WIDE + j, numbers_at(kind, from + (size_t)t * PARTS * part));
    }
}

static void expand_strips_of_kind(float *to, Stored m, int first, int count, int k, int terms)
{
    switch (m.kind) {
    case STORED_F32:
        expand_strips(STORED_F32, to, m, first, count, k, terms);
        break;
    case STORED_F16:
        expand_strips(STORED_F16, to, m, first, count, k, terms);
        break;
    case STORED_BF16:
        expand_strips(STORED_BF16, to, m, first, count, k, terms);
        break;
    default:
        expand_strips(STORED_INT8, to, m, first, count, k, terms);
    }
}

static void expand_rows(float *to, Stored m, int first, int count, int k, int terms)
{
    for (int j = 0; j < count; j += SIDE) {
        const int rows = int_min(SIDE, count - j);
        const int done = rows == SIDE ? expand_squares_of_kind(to + j, m, first + j, k, terms) : 0;
        for (int r = 0; r < rows && done < terms; r++) {
            float rest[TERMS];
            expand_part(rest, m, first + j + r, k + done, terms - done);
            for (int t = done; t < terms; t++) to[t * WIDE + j + r] = rest[t - done];
        }
    }
}

// out[:, first … first + count − 1] = x · (rows first … of m)ᵀ; count ≤ WIDE
static void many_products(Matrix out, Matrix x, Stored m, int first, int count)
{
    float block[TERMS * WIDE];
    for (int k = 0; k < m.cols; k += TERMS) {
        const int terms = int_min(TERMS, m.cols - k);
        (m.strips ? expand_strips_of_kind : expand_rows)(block, m, first, count, k, terms);
        gemm((GemmShape){x.rows, count, terms, .accumulate = k > 0}, x.data + k, x.cols, block, WIDE,
             out.data + first, out.cols);
    }
}

// ---- Products -----------------------------------------------------------------------------------------------------------
// Work is shared by outputs: pieces of WIDE of them, or, with few rows of x, strips.

// The outputs begin … end − 1 of one matrix, whose numbers have no scales
static void sum_outputs(Matrix out, Matrix x, Stored m, int begin, int end)
{
    typedef void Products(Matrix, Matrix, Stored, int, int);
    static Products *const from_strips[] = {strips_f32, strips_f16, strips_bf16, strips_int8},
                           *const from_rows[] = {few_f32, few_f16, few_bf16, few_int8};
    if (x.rows <= FEW && m.strips) {
        from_strips[m.kind](out, x, m, begin / STORED_STRIP, (end + STORED_STRIP - 1) / STORED_STRIP);
        return;
    }
    const bool few = x.rows <= FEW && m.rows >= STORED_STRIP;
    const int step = few ? STORED_STRIP : WIDE;
    for (; begin < end; begin += step)
        (few ? from_rows[m.kind] : many_products)(out, x, m, begin, int_min(step, end - begin));
}

// INT8 is multiplied by whole numbers, and each sum once by the scale of its row: a multiplication with every number would take a
// third of the time where weights come from the cache, and round once more.
static void some_outputs(Matrix out, Matrix x, Stored m, int begin, int end)
{
    const float *scale = m.scale;
    m.scale = NULL;
    sum_outputs(out, x, m, begin, end);
    for (int i = 0; scale && i < x.rows; i++) {
        float *row = matrix_row(out, i);
        for (int j = begin; j < end; j++) row[j] *= scale[j];
    }
}

// The pieces first … last − 1 of all products, numbered one after the other; there are so many outputs in each.
static void pieces_of_each(const StoredProduct *products, int count, Matrix x, int outputs, int first,
                           int last)
{
    for (int i = 0; i < count && last > 0; i++) {
        const int pieces = (products[i].m.rows + outputs - 1) / outputs;
        if (first < pieces)
            some_outputs(products[i].out, x, products[i].m, int_max(first, 0) * outputs,
                         int_min(int_min(last, pieces) * outputs, products[i].m.rows));
        first -= pieces, last -= pieces;
    }
}

void stored_matmul_nt_each_at(Place place, const StoredProduct *products, int count, Matrix x)
{
    const int outputs = x.rows > FEW ? WIDE : STORED_STRIP, threads = parallel_threads();
    int pieces = 0;
    size_t work = 0;
    for (int i = 0; i < count; i++) {
        const Matrix out = products[i].out;
        const Stored m = products[i].m;
        check_at(place, x.cols == m.cols && out.rows == x.rows && out.cols == m.rows,
                 "the columns of x are those of the weights; the result has a column for each of their rows",
                 "stored_matmul_nt: (%d × %d) · (%d × %d)ᵀ → (%d × %d)", x.rows, x.cols, m.rows, m.cols,
                 out.rows, out.cols);
        if (x.cols == 0) fill(out, 0.0f);
        pieces += (m.rows + outputs - 1) / outputs;
        work += (size_t)x.rows * stored_size(m);
    }
    if (x.rows == 0 || x.cols == 0) return;
    PARALLEL_FOR(parallel_worth(work), t, threads,
                 pieces_of_each(products, count, x, outputs, (int)((long long)pieces * t / threads),
                                (int)((long long)pieces * (t + 1) / threads)));
}

void stored_matmul_nt_at(Place place, Matrix out, Matrix x, Stored m)
{
    stored_matmul_nt_each_at(place, &(StoredProduct){out, m}, 1, x);
}

// out[:, first … first + count − 1] = x · (columns first … of m)
static void some_columns(Matrix out, Matrix x, Stored m, int first, int count)
{
    float block[TERMS * WIDE];
    for (int k = 0; k < m.rows; k += TERMS) {
        const int terms = int_min(TERMS, m.rows - k);
        for (int i = 0; i < terms; i++) expand_part(block + i * count, m, k + i, first, count);
        gemm((GemmShape){x.rows, count, terms, .accumulate = k > 0}, x.data + k, x.cols, block, count,
             out.data + first, out.cols);
    }
}

void stored_matmul_at(Place place, Matrix out, Matrix x, Stored m)
{
    check_at(place, x.cols == m.rows && out.rows == x.rows && out.cols == m.cols,
             "the columns of x are the rows of the weights; the result has their columns",
             "stored_matmul: (%d × %d) · (%d × %d) → (%d × %d)", x.rows, x.cols, m.rows, m.cols, out.rows,
             out.cols);
    if (m.rows == 0) fill(out, 0.0f);
    if (m.kind == STORED_F32 && !m.strips && (uintptr_t)m.data % _Alignof(float) == 0) {
        matmul_at(place, out, x, (Matrix){m.rows, m.cols, (float *)m.data});
        return;
    }
#pragma omp parallel for if (parallel_worth((size_t)x.rows * stored_size(m)))
    for (int j = 0; j < m.cols; j += WIDE) some_columns(out, x, m, j, int_min(WIDE, m.cols - j));
}

static float element(Stored m, int i, int j)
{
    float value;
    expand_part(&value, m, i, j, 1);
    return value;
}

void stored_matmul_nt_naive(Matrix out, Matrix x, Stored m)
{
    const float *scale = m.scale;
    m.scale = NULL;
    for (int i = 0; i < x.rows; i++) {
        for (int j = 0; j < m.rows; j++) {
            float total = 0.0f;
            for (int k = 0; k < m.cols; k++) total = __builtin_fmaf(AT(x, i, k), element(m, j, k), total);
            AT(out, i, j) = scale ? scale[j] * total : total;
        }
    }
}
