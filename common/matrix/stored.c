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

// The elements first … first + count − 1 of row i
static void expand_part(float *out, Stored m, int i, int first, int count)
{
    const size_t offset = (size_t)i * (size_t)m.cols + (size_t)first;
    const unsigned char *bytes = (const unsigned char *)m.data + offset * stored_element_bytes(m.kind);
    if (count) expand(out, m.kind, bytes, m.scale ? m.scale[i] : 1.0f, (size_t)count);
}

void stored_row(float *out, Stored m, int i) { expand_part(out, m, i, 0, m.cols); }

void stored_expand_at(Place place, Matrix out, Stored m)
{
    check_at(place, out.rows == m.rows && out.cols == m.cols, "the result has the shape of what is stored",
             "stored_expand: (%d × %d) into (%d × %d)", m.rows, m.cols, out.rows, out.cols);
#pragma omp parallel for if (parallel_worth(matrix_size(out)))
    for (int i = 0; i < m.rows; i++) stored_row(matrix_row(out, i), m, i);
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

static void quantise_row(signed char *out, float *scale, const float *row, int cols)
{
    float largest = 0.0f;
    for (int j = 0; j < cols; j++) {
        const float size = __builtin_fabsf(row[j]);
        largest = size > largest ? size : largest;
    }
    *scale = scale_for(largest);
    for (int j = 0; j < cols; j++)
        out[j] = largest > 0.0f ? (signed char)__builtin_rint((double)row[j] / (double)*scale) : 0;
}

// A matrix of this kind whose rows are about to be set.
typedef struct {
    Stored stored;
    void *data;
    float *scale;
} Writable;

static Writable writable(Place place, Arena *arena, int rows, int cols, StoredKind kind)
{
    Writable w = {.stored = {rows, cols, kind, NULL, NULL}};
    w.stored.data = w.data = arena_alloc_at(place, arena, stored_size(w.stored), stored_element_bytes(kind));
    if (kind == STORED_INT8)
        w.stored.scale = w.scale = arena_alloc_at(place, arena, (size_t)rows, sizeof *w.scale);
    return w;
}

// What becomes INT8 is finite.
static void set_row(const Writable *w, int i, const float *row)
{
    const int cols = w->stored.cols;
    const size_t first = (size_t)i * (size_t)cols;
    uint16_t *words = (uint16_t *)w->data + first;
    switch (w->stored.kind) {
    case STORED_F32:
        if (cols) memcpy((float *)w->data + first, row, (size_t)cols * sizeof *row);
        break;
    case STORED_F16:
        for (int j = 0; j < cols; j++) words[j] = float_to_half(row[j]);
        break;
    case STORED_BF16:
        for (int j = 0; j < cols; j++) words[j] = float_to_bfloat16(row[j]);
        break;
    case STORED_INT8:
        quantise_row((signed char *)w->data + first, &w->scale[i], row, cols);
        break;
    }
}

static Stored stored_as(Place place, Arena *arena, Matrix m, StoredKind kind)
{
    const Writable w = writable(place, arena, m.rows, m.cols, kind);
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
    return stored_as(place, arena, m, kind);
}

Stored stored_quantise_at(Place place, Arena *arena, Matrix m)
{
    return stored_as(place, arena, m, STORED_INT8);
}

Stored stored_convert_at(Place place, Arena *arena, Stored m, StoredKind kind)
{
    const Writable w = writable(place, arena, m.rows, m.cols, kind);
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

// ---- Transposed on the way -------------------------------------------------------------------------------------------
// A row of the weights is a column of the product, so outputs have to become neighbours. Eight rows are read 32 bytes at a
// time, as eight words of 32 bits; the square of 8 × 8 words is transposed in registers, and only then a word becomes its one,
// two or four numbers: the fewer bytes a number has, the less there is to transpose.

enum { SIDE = 8 };
typedef uint32_t Words __attribute__((vector_size(SIDE * sizeof(uint32_t))));
typedef int32_t Integers __attribute__((vector_size(SIDE * sizeof(int32_t))));
typedef float Floats __attribute__((vector_size(SIDE * sizeof(float))));

// Interleaving the rows i and i + 4 rotates the six bits of an element's row and column by one; after three times a row is a
// column.
INLINE void transpose_words(Words row[SIDE])
{
    UNROLL
    for (int turn = 0; turn < 3; turn++) {
        Words next[SIDE];
        UNROLL
        for (int i = 0; i < SIDE / 2; i++) {
            const Words a = row[i], b = row[i + SIDE / 2];
            next[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
        }
        UNROLL
        for (int i = 0; i < SIDE; i++) row[i] = next[i];
    }
}

// half_value of the upper halves of eight words: the bits where a float has its own, and a power of two for the other bias,
// which makes a subnormal half a normal float as well.
INLINE void upper_halves(Floats *out, const Words *word)
{
    const Words bits = (Words)((Integers)*word >> 3) & 0x8fffe000;
    const Words endless = (Words)((bits & 31 << 23) == 31 << 23) & FLOAT_INFINITY;
    *out = (Floats)((Words)((Floats)bits * 0x1p112f) | endless);
}

// Number `part` of each of eight words. Vectors go by address: to give them by value, processors without such registers have
// another way than those with them.
INLINE void decode(Floats *out, const StoredKind kind, const Words *word, const int part, const Floats *scale)
{
    if (kind == STORED_F16) {
        const Words moved = part ? *word : *word << 16;
        upper_halves(out, &moved);
    } else if (kind == STORED_BF16) {
        *out = (Floats)(part ? *word & 0xffff0000 : *word << 16);
    } else if (kind == STORED_INT8) {
        *out = *scale * __builtin_convertvector((Integers)(*word << (24 - 8 * part)) >> 24, Floats);
    } else {
        *out = (Floats)*word;
    }
}

// Where eight rows of the weights begin, and their scales; count ≤ 8 rows are there, and the last stands in for the missing ones.
typedef struct {
    const unsigned char *from[SIDE];
    Floats scale;
} EightRows;

INLINE void find_rows(const StoredKind kind, EightRows *rows, Stored m, int first, int count)
{
    float scale[SIDE];
    for (int r = 0; r < SIDE; r++) {
        const size_t row = (size_t)(first + int_min(r, count - 1));
        rows->from[r] = (const unsigned char *)m.data + row * (size_t)m.cols * stored_element_bytes(kind);
        scale[r] = kind == STORED_INT8 ? m.scale[row] : 1.0f;
    }
    memcpy(&rows->scale, scale, sizeof scale);
}

// The square of words that begins at this byte of the rows, transposed
INLINE void read_square(Words word[SIDE], const EightRows *rows, size_t at)
{
    UNROLL
    for (int r = 0; r < SIDE; r++) memcpy(&word[r], rows->from[r] + at, sizeof word[r]);
    transpose_words(word);
}

// ---- With few rows of x -------------------------------------------------------------------------------------------------
// The numbers go from the square into the sums and are written nowhere. STRIP outputs at once are four chains of sums for each
// row of x: a fused multiply-add takes four cycles, and the next of its chain waits for it.

enum { STRIP = 32, FEW = 4, GROUPS = STRIP / SIDE, SQUARES = 2 };

// z += x · y, rounded once
INLINE void fused_eight(Floats *z, float x, const Floats *y)
{
#if defined(__AVX2__) && defined(__FMA__)
    *z = _mm256_fmadd_ps(_mm256_set1_ps(x), *y, *z);
#else
    for (int i = 0; i < SIDE; i++) (*z)[i] = __builtin_fmaf(x, (*y)[i], (*z)[i]);
#endif
}

// The terms from k on, fewer than fill the squares, come to the sums total[count] of row i of x.
static void last_terms(float *total, Matrix x, int i, Stored m, int first, int count, int k)
{
    for (int j = 0; j < count; j++) {
        float rest[SQUARES * SIDE * sizeof(uint32_t)];
        expand_part(rest, m, first + j, k, m.cols - k);
        for (int t = k; t < m.cols; t++) total[j] = __builtin_fmaf(AT(x, i, t), rest[t - k], total[j]);
    }
}

// Of 32 rows at once the processor does not see that they are being read from left to right, so it is told what will be
// wanted soon: what stands AHEAD bytes further on in these rows, or as far into those of the next strip, which begin `strip`
// bytes behind these. An address behind the matrix does no harm. From memory it made BF16 up to three times as fast.
enum { AHEAD = 1024 };
INLINE void bring_rows(const EightRows *rows, size_t at, size_t strip)
{
    const size_t row = strip / STRIP, wanted = at + AHEAD < row ? at + AHEAD : strip + at + AHEAD - row;
    UNROLL
    for (int r = 0; r < SIDE; r++)
        __builtin_prefetch((const void *)((uintptr_t)rows->from[r] + wanted), 0, 2);
}

// Of the terms k … of the sums of `rows` rows of x: as many as stand in so many squares beside each other.
INLINE void add_squares(const StoredKind kind, const int rows, const int squares, Floats sum[FEW][GROUPS],
                        Matrix x, const EightRows eight[GROUPS], int k, size_t strip)
{
    const int parts = kind == STORED_F32 ? 1 : kind == STORED_INT8 ? 4 : 2;
    const size_t at = (size_t)k * (sizeof(uint32_t) / (size_t)parts);
    Words word[SQUARES][GROUPS][SIDE];
    UNROLL
    for (int g = 0; g < GROUPS; g++) {
        bring_rows(&eight[g], at, strip);
        UNROLL
        for (int q = 0; q < squares; q++) read_square(word[q][g], &eight[g], at + (size_t)q * sizeof(Words));
    }
    for (int w = 0; w < squares * SIDE; w++) {
        UNROLL
        for (int part = 0; part < parts; part++) {
            const float *column = x.data + k + w * parts + part;
            UNROLL
            for (int g = 0; g < GROUPS; g++) {
                Floats numbers;
                decode(&numbers, kind, &word[w / SIDE][g][w % SIDE], part, &eight[g].scale);
                UNROLL
                for (int i = 0; i < rows; i++)
                    fused_eight(&sum[i][g], column[(size_t)i * (size_t)x.cols], &numbers);
            }
        }
    }
}

// out[i][first + j] = Σ_k x[i][k] · m[first + j][k] for so many rows of x, from 1 to FEW; j < count ≤ STRIP
INLINE void few_products(const StoredKind kind, const int rows, Matrix out, Matrix x, Stored m, int first,
                         int count)
{
    const int side = SIDE * (kind == STORED_F32 ? 1 : kind == STORED_INT8 ? 4 : 2);
    const size_t strip = STRIP * (size_t)m.cols * stored_element_bytes(kind);
    EightRows eight[GROUPS];
    Floats sum[FEW][GROUPS] = {{{0}}};
    for (int g = 0; g < GROUPS; g++) // a group without rows computes the last one's again
        find_rows(kind, &eight[g], m, first + int_min(g * SIDE, count - 1), int_max(count - g * SIDE, 1));
    int k = 0;
    for (; k + SQUARES * side <= m.cols; k += SQUARES * side)
        add_squares(kind, rows, SQUARES, sum, x, eight, k, strip);
    for (; k + side <= m.cols; k += side) add_squares(kind, rows, 1, sum, x, eight, k, strip);
    for (int i = 0; i < rows; i++) {
        float total[STRIP];
        memcpy(total, sum[i], sizeof total);
        last_terms(total, x, i, m, first, count, k);
        memcpy(matrix_row(out, i) + first, total, (size_t)count * sizeof *total);
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

// to[t · WIDE + j] = the number k + t of row first + j of the weights, for a whole number of squares of eight rows; returns
// how many terms that are.
INLINE int expand_squares(const StoredKind kind, float *to, Stored m, int first, int count, int k, int terms)
{
    const int parts = kind == STORED_F32 ? 1 : kind == STORED_INT8 ? 4 : 2, side = SIDE * parts;
    const size_t bytes = sizeof(uint32_t) / (size_t)parts;
    EightRows rows;
    find_rows(kind, &rows, m, first, count);
    int t = 0;
    for (; t + side <= terms; t += side) {
        Words word[SIDE];
        read_square(word, &rows, (size_t)(k + t) * bytes);
        UNROLL
        for (int w = 0; w < SIDE; w++) {
            UNROLL
            for (int part = 0; part < parts; part++) {
                Floats numbers;
                decode(&numbers, kind, &word[w], part, &rows.scale);
                memcpy(to + (t + w * parts + part) * WIDE, &numbers, sizeof numbers);
            }
        }
    }
    return t;
}

static int expand_squares_of_kind(float *to, Stored m, int first, int count, int k, int terms)
{
    switch (m.kind) {
    case STORED_F32:
        return expand_squares(STORED_F32, to, m, first, count, k, terms);
    case STORED_F16:
        return expand_squares(STORED_F16, to, m, first, count, k, terms);
    case STORED_BF16:
        return expand_squares(STORED_BF16, to, m, first, count, k, terms);
    default:
        return expand_squares(STORED_INT8, to, m, first, count, k, terms);
    }
}

// out[:, first … first + count − 1] = x · (rows first … of m)ᵀ; count ≤ WIDE
static void many_products(Matrix out, Matrix x, Stored m, int first, int count)
{
    float block[TERMS * WIDE];
    for (int k = 0; k < m.cols; k += TERMS) {
        const int terms = int_min(TERMS, m.cols - k);
        for (int j = 0; j < count; j += SIDE) {
            const int rows = int_min(SIDE, count - j);
            const int done = expand_squares_of_kind(block + j, m, first + j, rows, k, terms);
            for (int r = 0; r < rows && done < terms; r++) {
                float rest[SIDE * sizeof(uint32_t)];
                expand_part(rest, m, first + j + r, k + done, terms - done);
                for (int t = done; t < terms; t++) block[t * WIDE + j + r] = rest[t - done];
            }
        }
        gemm((GemmShape){x.rows, count, terms, .accumulate = k > 0}, x.data + k, x.cols, block, WIDE,
             out.data + first, out.cols);
    }
}

// ---- Products -----------------------------------------------------------------------------------------------------------
// Work is shared by outputs.

// Number `step` of the pieces that the products are cut into, each of so many outputs.
static void one_piece(const StoredProduct *products, Matrix x, int outputs, int step)
{
    static void (*const few[])(Matrix, Matrix, Stored, int, int) = {few_f32, few_f16, few_bf16, few_int8};
    for (int pieces; step >= (pieces = (products->m.rows + outputs - 1) / outputs); products++)
        step -= pieces;
    const Stored m = products->m;
    const int first = step * outputs;
    (x.rows > FEW ? many_products : few[m.kind])(products->out, x, m, first,
                                                 int_min(outputs, m.rows - first));
}

void stored_matmul_nt_each_at(Place place, const StoredProduct *products, int count, Matrix x)
{
    const int outputs = x.rows > FEW ? WIDE : STRIP;
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
#pragma omp parallel for if (parallel_worth(work))
    for (int step = 0; step < pieces; step++) one_piece(products, x, outputs, step);
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
    if (m.kind == STORED_F32 && (uintptr_t)m.data % _Alignof(float) == 0) {
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
    for (int i = 0; i < x.rows; i++) {
        for (int j = 0; j < m.rows; j++) {
            float total = 0.0f;
            for (int k = 0; k < m.cols; k++) total = __builtin_fmaf(AT(x, i, k), element(m, j, k), total);
            AT(out, i, j) = total;
        }
    }
}
