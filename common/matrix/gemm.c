// gemm.c: the matrix product. See gemm.h for what it computes; this page tells how it is made fast.
//
// Three loops compute a product, and a processor runs them at a tenth of its speed or less. Each fused
// multiply-add needs two numbers that have to be fetched, and fetching is slow: a core of today can do 32
// of them, on two vectors of 16 floats, in the time of two loads, when these find their numbers in the
// nearest cache, and hundreds while it waits for one number from memory. So all the art lies in using each
// number again while it is at hand.
//
// The tile. A piece of C, 14 rows of 32 columns, is kept in the processor's registers while k runs through
// all its values. At each k we load 32 numbers of a row of B (two vectors) and, one after the other, 14
// numbers of a column of A, and every one of the 14 meets both vectors:
//
//                     b ─── 2 vectors ───
//                 ┌──┬───────────────────┐
//               a │x0│  left[0]   right[0]       16 loads for 28 fused multiply-adds of 16 floats each:
//                 │x1│  left[1]   right[1]       loads are no longer what we wait for. 28 sums, two vectors
//              14 │… │     …          …          of B and one x take 31 of the 32 registers of AVX-512. AVX2
//                 │13│  left[13]  right[13]      has 16 registers, enough for 6 rows; ARM works with 12.
//                 └──┴───────────────────┘
//
// A tile with few sums would be slow for another reason: a fused multiply-add takes four cycles and two can
// start in each, so at least eight sums must be under way at any time. The sum of one element is a chain,
// each step waiting for the one before; that is the price of one fixed order of summation, and with 28
// chains side by side it costs nothing.
//
// The strip. Tiles are walked down a strip of C 32 columns wide, so the same columns of B serve every tile
// and stay in the first-level cache, while the rows of A pass by.
//
// Packing. In place, the numbers of a strip of B lie far apart: each row of a wide matrix is on another
// page of memory, and rows at a distance of 4096 bytes compete for the same few places of the cache. So we
// first copy the strip's columns together, B of row k after B of row k − 1, and a B that is stored
// transposed is transposed back on the way, in squares of 4 × 4. From then on there is only one case. A copy
// costs one step for each number of B and the product uses each number M times, so copying pays when M is
// large; when it is small, or the rows are close together anyhow, B is read where it is. The same holds for
// A with N, except that A need not be transposed: the tile takes its 14 numbers one by one from wherever they
// are.
//
// The blocks. Copies are made in pieces, of 1024 of the K, 1024 of the N and 168 of the M, so that those of
// A and of a strip of B fit the second-level cache. After the first piece of K, the sums of a tile start
// from what C holds, so they remain one chain. Where A is transposed and B stays where it is, as in the gradient
// of a weight, K is the number of rows of a batch and both factors are long and thin: pieces of 384 terms
// keep the strip of B in the first-level cache.
//
// Writing. Before a line of memory is written it is brought into the cache, and a large C is seldom there. So a tile asks
// for the lines that it will write, one row every fourth term, while it computes; left to the end, they would all be waited
// for together. What a layer does to the rows of C next (a bias, an activation) is done in pieces of rows, while these are
// near: gemm_with_rows.
//
// Threads. C is cut into as many rectangles as there are threads, and each computes its own as if alone.
// They share nothing and wait for nobody, and no sum is ever divided: this is why the number of threads
// does not change a bit.
//
// To read more: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM
// Transactions on Mathematical Software 34, 2008; Van Zee and van de Geijn, "BLIS", the same journal, 41,
// 2015.
#include "matrix/gemm.h"
#include "base/check.h"
#include "base/cores.h"
#include "base/parallel.h"
#include "matrix/vectors.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// ---- Strips and tiles -------------------------------------------------------------------------------------

// C is far from FAR floats on; a tile asks for one of its rows every ASK_EVERY terms, if it has more than FEW_TERMS. Rows of B that
// are SPREAD floats apart or more are spread over as many pages: the processor does not guess those.
enum {
    TILE_COLUMNS = 2 * VECTOR_LANES,
    LOW_ROWS = 8,
    FAR = 1 << 16,
    ASK_EVERY = 4,
    FEW_TERMS = 16,
    SPREAD = 512,
};

// A strip of C, at most TILE_COLUMNS wide, and the factors that make it.
typedef struct {
    const float *a, *b;
    float *c;
    size_t a_step; // from one row of A to the next; from one column to the next when it is stored transposed
    size_t b_step; // from one row of B to the next
    size_t c_step; // from one row of C to the next
    int rows, k;   // of the strip; the length of the sums
    int last;      // how many lanes of the last vector are columns of C, 1 … VECTOR_LANES
    bool resume;   // start from what C holds rather than from zero
    bool far;      // C is large: it has to be asked for
    // Low tiles ask for the next strip's columns of B, each for 1 of 1 << shares rows, from row asked on. NULL: they do not.
    const float *next_strip;
    size_t asked;
    int shares;
} Strip;

// The sums of a tile: of each row the left vector and the right one. A narrow tile has only the right one.
typedef struct {
    Vector left[TILE_ROWS], right[TILE_ROWS];
} Sums;

// All sums are 0, or what C holds where the strip begins.
INLINE void tile_begin(const int rows, const bool wide, const Strip *s, Mask mask, Sums *sums)
{
    UNROLL
    for (int i = 0; i < rows; i++) sums->left[i] = sums->right[i] = broadcast(0.0f);
    if (!s->resume) return;
    const float *c = s->c;
    const size_t step = s->c_step;
    UNROLL
    for (int i = 0; i < rows; i++, c += step) {
        if (wide) sums->left[i] = load(c);
        sums->right[i] = load_first(mask, c + (wide ? VECTOR_LANES : 0));
    }
}

INLINE void tile_end(const int rows, const bool wide, const Strip *s, Mask mask, const Sums *sums)
{
    // The compiler is not to know that this is where the tile began: it would keep all the addresses
    // meanwhile.
    float *c = s->c;
    __asm__("" : "+r"(c));
    const size_t step = s->c_step;
    if (s->last == VECTOR_LANES) {
        UNROLL
        for (int i = 0; i < rows; i++, c += step) {
            if (wide) store(c, sums->left[i]);
            store(c + (wide ? VECTOR_LANES : 0), sums->right[i]);
        }
        return;
    }
    UNROLL
    for (int i = 0; i < rows; i++, c += step) {
        if (wide) store(c, sums->left[i]);
        store_first(mask, c + (wide ? VECTOR_LANES : 0), sums->right[i]);
    }
}

// Where a tile is in A and B. Fourteen addresses, one for each row of A, would not leave registers for anything else: one
// address serves three rows.
typedef struct {
    const float *a[(TILE_ROWS + 2) / 3], *b;
    const float *next_tile; // its rows of A, where these are neighbours
} Reading;

// One term of every sum: a row of B meets a column of A. term: its number.
INLINE void tile_term(const int rows, const bool wide, const bool by_rows, const Strip *s, Mask mask,
                      int term, Reading *at, Sums *sums)
{
    const Vector left = wide ? load(at->b) : broadcast(0.0f);
    const Vector right = load_first(mask, at->b + (wide ? VECTOR_LANES : 0));
    UNROLL
    for (int i = 0; i < rows; i++) {
        const Vector x = broadcast(by_rows ? at->a[i / 3][(size_t)(i % 3) * s->a_step] : at->a[0][i]);
        if (wide) sums->left[i] = fused(x, left, sums->left[i]);
        sums->right[i] = fused(x, right, sums->right[i]);
    }
    // The processor guesses well what is read next, but not that rows of B lie far apart, nor that the rows
    // of the next tile follow. Ask for them in time. A low tile is done too soon for that: it asks for the next strip.
    const bool next = rows == LOW_ROWS && wide && by_rows && s->next_strip;
    const float *soon = next ? s->next_strip : at->b;
    const size_t after = (next ? s->asked + (size_t)(term >> s->shares) : 16) * s->b_step;
    if (wide) ask_for(soon, after);
    if (wide) ask_for(soon, after + VECTOR_LANES);
    if (by_rows) ask_for(at->next_tile, (size_t)term * (size_t)rows);
    at->b += s->b_step;
    if (by_rows) {
        UNROLL
        for (int g = 0; g < (rows + 2) / 3; g++) at->a[g]++;
    } else {
        at->a[0] += s->a_step;
    }
}

// The heart of it: the first rows of the strip, C (rows × columns) from A (rows × k) and B (k × columns).
// rows, wide and by_rows are constants wherever this is called, so every loop but the one over k is written
// out and every sum is a register. wide: there are two vectors of columns, not one. by_rows: the numbers of
// a row of A are neighbours; otherwise those of a column are.
INLINE void tile(const int rows, const bool wide, const bool by_rows, const Strip *s)
{
    Sums sums;
    const Mask mask = first(s->last);
    tile_begin(rows, wide, s, mask, &sums);
    Reading at = {.b = s->b, .next_tile = s->a + (by_rows ? (size_t)rows * s->a_step : 0)};
    UNROLL
    for (int g = 0; g < (rows + 2) / 3; g++) at.a[g] = s->a + (by_rows ? 3 * (size_t)g * s->a_step : 0);

    // A large C is seldom in the cache. The rows where this tile will end, or where the next one begins, are asked for one by one:
    // all at once, they would keep A and B waiting.
    const float *c = s->c + (s->resume ? (size_t)rows * s->c_step : 0);
    const int asking = rows == TILE_ROWS && s->far && s->k > FEW_TERMS ? int_min(ASK_EVERY * rows, s->k) : 0;
    int p = 0;
    for (; p < asking; p++) {
        if (p % ASK_EVERY == 0) {
            ask_to_write(c, 0);
            if (wide) ask_to_write(c, VECTOR_LANES);
            c += s->c_step;
        }
        tile_term(rows, wide, by_rows, s, mask, p, &at, &sums);
    }
    for (; p < s->k; p++) tile_term(rows, wide, by_rows, s, mask, p, &at, &sums);
    tile_end(rows, wide, s, mask, &sums);
}

// Tiles of the given height, as long as there are rows enough. When a few rows would be left over for a tile with too
// few sums, the last full tiles are left out: 14 + 2 rows are done sooner as 8 + 8, 14 + 14 + 4 as four times 8,
// 14 + 14 + 14 + 6 as six times 8, and 6 + 2 as 4 + 4.
INLINE void tiles(const int rows, const bool wide, const bool by_rows, Strip *s)
{
    if (rows > TILE_ROWS) return;
    for (; s->rows >= rows; s->rows -= rows) {
        if (rows == TILE_ROWS && s->rows == rows + 2) break;
        if (rows == TILE_ROWS && rows > LOW_ROWS && s->rows <= 6 * LOW_ROWS && s->rows % LOW_ROWS == 0 &&
            s->rows % rows != 0)
            break;
        tile(rows, wide, by_rows, s);
        if (rows == LOW_ROWS) s->asked += (size_t)(s->k >> s->shares);
        s->a += by_rows ? (size_t)rows * s->a_step : (size_t)rows;
        s->c += (size_t)rows * s->c_step;
    }
}

// The whole strip: full tiles, then lower ones for the rows that are left.
INLINE void strip(const bool wide, const bool by_rows, Strip *s)
{
    tiles(TILE_ROWS, wide, by_rows, s);
    tiles(LOW_ROWS, wide, by_rows, s);
    tiles(4, wide, by_rows, s);
    tiles(2, wide, by_rows, s);
    tiles(1, wide, by_rows, s);
}

static void strip_narrow_rows(Strip *s) { strip(false, true, s); }
static void strip_narrow_columns(Strip *s) { strip(false, false, s); }
static void strip_wide_rows(Strip *s) { strip(true, true, s); }
static void strip_wide_columns(Strip *s) { strip(true, false, s); }

// ---- Products and their parts -----------------------------------------------------------------------------

// A product with everything that belongs to it. Its parts are products too, on the same memory.
typedef struct {
    GemmShape shape;
    const float *a, *b;
    float *c;
    size_t a_step, b_step, c_step; // from one stored row to the next
    size_t b_next;                 // from the columns of one strip of B to those of the next
} Product;

INLINE Product product_rows(Product p, int from, int count)
{
    p.a += (size_t)from * (p.shape.transpose_a ? 1 : p.a_step);
    p.c += (size_t)from * p.c_step;
    p.shape.m = count;
    return p;
}

INLINE Product product_columns(Product p, int from, int count)
{
    p.b += (size_t)from * (p.shape.transpose_b ? p.b_step : 1);
    if (p.c) p.c += from; // a factor is packed without a C
    p.shape.n = count;
    return p;
}

// The part of every sum that goes over k = from … from + count − 1.
INLINE Product some_terms(Product p, int from, int count)
{
    p.a += (size_t)from * (p.shape.transpose_a ? p.a_step : 1);
    p.b += (size_t)from * (p.shape.transpose_b ? 1 : p.b_step);
    p.shape.accumulate |= from > 0;
    p.shape.k = count;
    return p;
}

// Strip after strip, from left to right; B is not transposed (any more).
INLINE void strips(const Product *p)
{
    for (int j = 0; j < p->shape.n; j += TILE_COLUMNS) {
        const int columns = int_min(TILE_COLUMNS, p->shape.n - j);
        const bool wide = columns > VECTOR_LANES;
        Strip s = {
            .a = p->a,
            .b = p->b + (size_t)(j / TILE_COLUMNS) * p->b_next,
            .c = p->c + j,
            .a_step = p->a_step,
            .b_step = p->b_step,
            .c_step = p->c_step,
            .rows = p->shape.m,
            .k = p->shape.k,
            .last = wide ? columns - VECTOR_LANES : columns,
            .resume = p->shape.accumulate,
            .far = (size_t)p->shape.m * p->c_step >= FAR,
        };
        // There are four low tiles or more, two, or one, to share the rows of the next strip.
        if (p->b_step >= SPREAD && j + TILE_COLUMNS < p->shape.n) {
            s.next_strip = s.b + p->b_next;
            s.shares = s.rows >= 4 * LOW_ROWS ? 2 : s.rows >= 2 * LOW_ROWS ? 1 : 0;
        }
        if (p->shape.transpose_a)
            (wide ? strip_wide_columns : strip_narrow_columns)(&s);
        else
            (wide ? strip_wide_rows : strip_narrow_rows)(&s);
    }
}

// ---- Packing ----------------------------------------------------------------------------------------------

// The largest piece of a product whose factors are copied. Rows of A keep a distance that is no multiple of
// a page.
enum {
    BLOCK_M = 168,
    BLOCK_N = 1024,
    BLOCK_K = 1024,
    THIN_K = 384,
    ROW_STEP = BLOCK_K + 16,
    COLUMN_STEP = BLOCK_M + 24,
    PACKED_A = BLOCK_K * COLUMN_STEP, // more than BLOCK_M · ROW_STEP
    PACKED_B = BLOCK_K * BLOCK_N,
};
_Static_assert(BLOCK_M % TILE_ROWS == 0 && BLOCK_N % TILE_COLUMNS == 0 && PACKED_A >= BLOCK_M * ROW_STEP, "");

// Not C11's <threads.h>, which some systems lack.
static pthread_key_t packed_key;
static pthread_once_t packed_once = PTHREAD_ONCE_INIT;

static void packed_make_key(void)
{
    check(pthread_key_create(&packed_key, free) == 0, NULL, "no place for the data of a thread");
}

// This thread's place for copies of B, followed by that for copies of A: asked for once, freed when the
// thread ends.
static float *packed(void)
{
    pthread_once(&packed_once, packed_make_key);
    float *place = pthread_getspecific(packed_key);
    if (place) return place;
    place = aligned_alloc(64, (PACKED_A + PACKED_B) * sizeof(float));
    check(place && pthread_setspecific(packed_key, place) == 0, NULL, "no memory for packing a product");
    return place;
}

// to (rows × columns) = from
INLINE void copy_block(float *to, size_t to_step, const float *from, size_t from_step, int rows, int columns)
{
    const int full = (columns - 1) / VECTOR_LANES * VECTOR_LANES;
    const Mask mask = first(columns - full);
    const size_t ahead = from_step * (size_t)(1 + 512 / columns);
    for (int i = 0; i < rows; i++, to += to_step, from += from_step) {
        for (int j = 0; j < full; j += VECTOR_LANES) {
            ask_for(from + j, ahead);
            store(to + j, load(from + j));
        }
        ask_for(from + full, ahead);
        store_first(mask, to + full, load_first(mask, from + full));
    }
}

typedef float Four __attribute__((vector_size(16)));
INLINE Four fused_four(float x, Four y, Four z)
{
#if defined(__AVX2__) && defined(__FMA__)
    return _mm_fmadd_ps(_mm_set1_ps(x), y, z);
#elif defined(__aarch64__)
    return vfmaq_n_f32(z, y, x);
#else
    for (int i = 0; i < 4; i++) z[i] = __builtin_fmaf(x, y[i], z[i]);
    return z;
#endif
}
#if defined(__clang__)
#define PICK(x, y, i, j, k, l) __builtin_shufflevector(x, y, i, j, k, l)
#else
typedef int Places __attribute__((vector_size(16)));
#define PICK(x, y, i, j, k, l) __builtin_shuffle(x, y, (Places){i, j, k, l})
#endif

INLINE Four load_four(const float *p)
{
    Four x;
    memcpy(&x, p, sizeof x);
    return x;
}
INLINE void store_four(float *p, Four x) { memcpy(p, &x, sizeof x); }

// The 4 × 4 numbers of four rows are transposed into four columns: rows are interleaved in pairs, then the
// pairs in pairs.
INLINE void transpose_square(Four row[4])
{
    const Four ab = PICK(row[0], row[1], 0, 4, 1, 5), ab_high = PICK(row[0], row[1], 2, 6, 3, 7);
    const Four cd = PICK(row[2], row[3], 0, 4, 1, 5), cd_high = PICK(row[2], row[3], 2, 6, 3, 7);
    row[0] = PICK(ab, cd, 0, 1, 4, 5);
    row[1] = PICK(ab, cd, 2, 3, 6, 7);
    row[2] = PICK(ab_high, cd_high, 0, 1, 4, 5);
    row[3] = PICK(ab_high, cd_high, 2, 3, 6, 7);
}

// The last squares overlap those before them. Rows that lie far apart are asked for SOON rows ahead.
void copy_transposed(float *to, size_t to_step, const float *from, size_t from_step, int rows, int columns)
{
    enum { SOON = 24 };
    if (rows < 4 || columns < 4) {
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                to[(size_t)j * to_step + (size_t)i] = from[(size_t)i * from_step + (size_t)j];
        return;
    }
    for (int i0 = 0; i0 < rows; i0 += 4) {
        const size_t i = (size_t)int_min(i0, rows - 4);
        for (size_t r = SOON; r < SOON + 4; r++)
            for (int j = 0; j < columns; j += CACHE_LINE) ask_for(from, (i + r) * from_step + (size_t)j);
        for (int j0 = 0; j0 < columns; j0 += 4) {
            const size_t j = (size_t)int_min(j0, columns - 4);
            Four square[4];
            for (size_t r = 0; r < 4; r++) square[r] = load_four(from + (i + r) * from_step + j);
            transpose_square(square);
            for (size_t r = 0; r < 4; r++) store_four(to + (j + r) * to_step + i, square[r]);
        }
    }
}

// The strip of B (K × N), or (N × K) transposed, that begins at column j: to (K × TILE_COLUMNS).
static void pack_strip(float *to, const Product *p, int j)
{
    const Product part = product_columns(*p, j, int_min(TILE_COLUMNS, p->shape.n - j));
    if (part.shape.transpose_b)
        copy_transposed(to, TILE_COLUMNS, part.b, part.b_step, part.shape.n, part.shape.k);
    else
        copy_block(to, TILE_COLUMNS, part.b, part.b_step, part.shape.k, part.shape.n);
}

// B becomes strip after strip.
static void pack_b(Product *p)
{
    float *to = packed();
    const size_t next = (size_t)TILE_COLUMNS * (size_t)p->shape.k;
    for (int j = 0; j < p->shape.n; j += TILE_COLUMNS)
        pack_strip(to + (size_t)(j / TILE_COLUMNS) * next, p, j);
    p->shape.transpose_b = false;
    p->b = to;
    p->b_step = TILE_COLUMNS;
    p->b_next = next;
}

// A stays as it is stored, (M × K) or (K × M), but its rows move together.
static void pack_a(Product *p)
{
    float *to = packed() + PACKED_B;
    const size_t step = p->shape.transpose_a ? COLUMN_STEP : ROW_STEP;
    if (p->shape.transpose_a)
        copy_block(to, step, p->a, p->a_step, p->shape.k, p->shape.m);
    else
        copy_block(to, step, p->a, p->a_step, p->shape.m, p->shape.k);
    p->a = to;
    p->a_step = step;
}

// ---- A vector times a matrix ------------------------------------------------------------------------------

// c (1 × N) = x (1 × K) · B (N × K) transposed: every element is the dot product of x and a row of B.
// Sixteen rows at a time are transposed in registers; when fewer are left, the last row stands in for the
// missing ones.
static void dot_products(const Product *p)
{
    enum { GROUPS = 4, ROWS = 4 * GROUPS };
    const int n = p->shape.n, k = p->shape.k;
    const size_t x_step = p->shape.transpose_a ? p->a_step : 1;
    for (int j = 0; j < n; j += ROWS) {
        const int count = int_min(ROWS, n - j);
        const float *row[ROWS], *x = p->a;
        for (int r = 0; r < ROWS; r++) row[r] = p->b + (size_t)(j + int_min(r, count - 1)) * p->b_step;
        float c[ROWS] = {0};
        if (p->shape.accumulate) memcpy(c, p->c + j, (size_t)count * sizeof *c);
        Four sum[GROUPS];
        for (int g = 0; g < GROUPS; g++) sum[g] = load_four(c + 4 * g);
        int i = 0;
        for (; i <= k - 4; i += 4) {
            for (int g = 0; g < GROUPS; g++) {
                Four column[4];
                for (int r = 0; r < 4; r++) column[r] = load_four(row[4 * g + r] + i);
                transpose_square(column);
                for (size_t q = 0; q < 4; q++) sum[g] = fused_four(x[q * x_step], column[q], sum[g]);
            }
            x += 4 * x_step;
        }
        for (; i < k; i++, x += x_step) {
            for (int g = 0; g < GROUPS; g++) {
                const Four column = {row[4 * g][i], row[4 * g + 1][i], row[4 * g + 2][i], row[4 * g + 3][i]};
                sum[g] = fused_four(*x, column, sum[g]);
            }
        }
        for (int g = 0; g < GROUPS; g++) store_four(c + 4 * g, sum[g]);
        memcpy(p->c + j, c, (size_t)count * sizeof *c);
    }
}

// One row times a B that is not transposed. A tile of one row would be two chains, each step waiting for the one before: here
// a row of B meets ROW_VECTORS sums at once.
enum { ROW_VECTORS = 8 };

INLINE void row_columns(const int vectors, const Product *p, int j)
{
    const size_t x_step = p->shape.transpose_a ? p->a_step : 1;
    const float *x = p->a, *b = p->b + j;
    float *c = p->c + j;
    Vector sum[ROW_VECTORS];
    UNROLL
    for (int v = 0; v < vectors; v++)
        sum[v] = p->shape.accumulate ? load(c + v * VECTOR_LANES) : broadcast(0.0f);
    for (int i = 0; i < p->shape.k; i++, x += x_step, b += p->b_step) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            ask_for(b, 16 * p->b_step + (size_t)v * VECTOR_LANES);
            sum[v] = fused(broadcast(*x), load(b + v * VECTOR_LANES), sum[v]);
        }
    }
    UNROLL
    for (int v = 0; v < vectors; v++) store(c + v * VECTOR_LANES, sum[v]);
}

static void row_product(const Product *p)
{
    const int n = p->shape.n;
    int j = 0;
    for (; j + ROW_VECTORS * VECTOR_LANES <= n; j += ROW_VECTORS * VECTOR_LANES)
        row_columns(ROW_VECTORS, p, j);
    for (; j + 4 * VECTOR_LANES <= n; j += 4 * VECTOR_LANES) row_columns(4, p, j);
    for (; j + 2 * VECTOR_LANES <= n; j += 2 * VECTOR_LANES) row_columns(2, p, j);
    if (j == n) return;
    const Product rest = product_columns(*p, j, n - j);
    strips(&rest);
}

// A product with one column, C (M × 1) without gaps, is one with one row, Cᵀ = Bᵀ · Aᵀ: then its elements
// are neighbours.
INLINE Product transposed_gemv(Product p)
{
    const GemmShape s = p.shape;
    const Product lying = {
        .shape = {s.n, s.m, s.k, !s.transpose_b, !s.transpose_a, s.accumulate},
        .a = p.b,
        .b = p.a,
        .c = p.c,
        .a_step = p.b_step,
        .b_step = p.a_step,
        .c_step = (size_t)s.m,
        .b_next = TILE_COLUMNS,
    };
    return lying;
}

// ---- One thread -------------------------------------------------------------------------------------------

// Rows at a distance of PAGE floats lie on different pages; at a multiple of it they compete for the same places of the cache.
// From APART floats on, rows of a strip of B fall into few enough of these for a strip to push itself out, at every tile that it
// meets. MANY_ROWS pay for a copy then: a low tile meets the strip more often. A transposed A is read down its columns, and what a
// tile has of them is spread over as many places as there are rows: from FAR_APART on these are copied, if there are more than a
// few. STAYS floats of A stay in the second-level cache from one strip to the next.
enum { APART = 128, FAR_APART = 192, MANY_ROWS = TILE_ROWS > 8 ? 1024 : 128, STAYS = 1 << 17 };

// How long are the pieces when length is cut into equal ones of at most limit?
static int piece(int length, int limit)
{
    const int count = (length + limit - 1) / limit;
    return (length + count - 1) / count;
}

// One thread's product: in blocks, unless everything can be read where it is.
static void multiply(const Product *whole)
{
    const GemmShape shape = whole->shape;
    if (shape.m == 1 && shape.transpose_b) {
        dot_products(whole);
        return;
    }
    if (shape.m == 1 && whole->b_next == TILE_COLUMNS) {
        row_product(whole);
        return;
    }
    const bool copy_b = shape.transpose_b || (whole->b_step >= PAGE && shape.m >= 128) ||
                        (whole->b_step >= APART && shape.m >= MANY_ROWS && !shape.transpose_a);
    const bool copy_a = shape.transpose_a
                            ? whole->a_step >= FAR_APART && shape.n >= 64 && shape.k >= 128
                            : whole->a_step >= PAGE && whole->a_step % PAGE == 0 && shape.n >= 128;
    const int most_terms = shape.transpose_a && !copy_b ? THIN_K : BLOCK_K;
    const bool a_stays = shape.n <= TILE_COLUMNS || (size_t)shape.m * (size_t)shape.k <= STAYS;
    if (!copy_a && !copy_b && a_stays && shape.k <= most_terms) {
        strips(whole);
        return;
    }
    const int block_m = a_stays && !copy_a ? shape.m : BLOCK_M, block_n = copy_b ? BLOCK_N : shape.n;
    const int block_k = piece(shape.k, most_terms);
    for (int j = 0; j < shape.n; j += block_n) {
        const Product columns = product_columns(*whole, j, int_min(block_n, shape.n - j));
        for (int p = 0; p < shape.k; p += block_k) {
            Product terms = some_terms(columns, p, int_min(block_k, shape.k - p));
            if (copy_b) pack_b(&terms);
            for (int i = 0; i < shape.m; i += block_m) {
                Product rows = product_rows(terms, i, int_min(block_m, shape.m - i));
                if (copy_a) pack_a(&rows);
                strips(&rows);
            }
        }
    }
}

// ---- All threads ------------------------------------------------------------------------------------------

// So many multiply-adds take about 2 µs, which is what it costs to wake a thread and to wait for it, twice
// over.
enum { THREAD_MINIMUM = 1 << 18 };

// One thread's rectangle of C: number `part` of `down` · `across`, which are chosen so that the largest is
// done soonest.
static Product rectangle(const Product *whole, int parts, int part)
{
    const int m = whole->shape.m, n = whole->shape.n;
    int rows = m, columns = n;
    double best = HUGE_VAL;
    for (int down = 1; down <= parts; down++) {
        if (parts % down != 0) continue;
        const int across = parts / down;
        const int r = (m + down - 1) / down,
                  c = ((n + across - 1) / across + VECTOR_LANES - 1) / VECTOR_LANES * VECTOR_LANES;
        // Next to the work itself, r · c, each thread reads its rows of A and copies its columns of B.
        const double cost = (double)r * c + 4.0 * r + 8.0 * c;
        if (cost < best) best = cost, rows = r, columns = c;
    }
    const int across = (n + columns - 1) / columns;
    const int i = int_min(part / across * rows, m), j = part % across * columns;
    return product_rows(product_columns(*whole, j, int_min(columns, n - j)), i, int_min(rows, m - i));
}

// A product without terms.
static void clear(float *c, int ldc, int m, int n)
{
    for (int i = 0; i < m && n > 0; i++) memset(c + (size_t)i * (size_t)ldc, 0, (size_t)n * sizeof *c);
}

void gemm(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc)
{
    if (shape.k <= 0 || shape.m <= 0 || shape.n <= 0) {
        if (!shape.accumulate) clear(c, ldc, shape.m, shape.n);
        return;
    }
    Product whole = {shape, a, b, c, (size_t)lda, (size_t)ldb, (size_t)ldc, TILE_COLUMNS};
    if (shape.n == 1 && ldc == 1) whole = transposed_gemv(whole);
    const size_t lanes = (size_t)(whole.shape.n + VECTOR_LANES - 1) / VECTOR_LANES * VECTOR_LANES;
    const size_t useful = (size_t)whole.shape.m * lanes * (size_t)shape.k / THREAD_MINIMUM;
    const size_t most = (size_t)parallel_threads();
    // To call all threads costs more than a quarter of them would save.
    if (useful < 2 || useful < most / 4 || most < 2 || parallel_inside()) {
        multiply(&whole);
        return;
    }
    // All threads are called, though some may find nothing to do: see parallel.h.
#pragma omp parallel
    {
        cores_keep_apart();
        const int team = parallel_team(), parts = useful < (size_t)team ? (int)useful : team;
        if (parallel_number() < parts) {
            const Product mine = rectangle(&whole, parts, parallel_number());
            if (mine.shape.m > 0 && mine.shape.n > 0) multiply(&mine);
        }
    }
}

// Pieces of rows are so high that what belongs to them fits the second-level cache. A thread needs some pieces for its own copy
// of B to pay.
enum { PIECE_M = BLOCK_M, LEAST_ROWS = 2 * PIECE_M };

// Rows first … last − 1 of a product that is not transposed, piece by piece.
static void multiply_pieces(Product p, const GemmRows *rows, int first, int last)
{
    pack_b(&p);
    for (int i = first; i < last; i += PIECE_M) {
        const Product piece = product_rows(p, i, int_min(PIECE_M, last - i));
        if (rows->prepare) rows->prepare(rows->context, i, piece.shape.m);
        multiply(&piece);
        if (rows->finish) rows->finish(rows->context, i, piece.shape.m);
    }
}

void gemm_each_row(void (*work)(const void *context, int first, int count), const GemmRows *rows, int count,
                   int length)
{
    if (!work) return;
    const size_t operations = (size_t)count * (size_t)length * (size_t)int_max(1, rows->operations);
    const int parts = parallel_worth(operations) ? int_min(parallel_threads(), count) : 1;
    PARALLEL_FOR(parts > 1, part, parts, {
        const int first = (int)((long)count * part / parts);
        work(rows->context, first, (int)((long)count * (part + 1) / parts) - first);
    });
}

void gemm_with_rows(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc,
                    GemmRows rows)
{
    const int most = parallel_inside() ? 1 : parallel_threads();
    const size_t lanes = (size_t)(shape.n + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
    const bool tall =
        (rows.prepare || rows.finish) && shape.m / most >= LEAST_ROWS && (size_t)shape.k * lanes <= PACKED_B;
    if (!tall || shape.k <= 0 || shape.n <= 1) {
        gemm_each_row(rows.prepare, &rows, shape.m, shape.k);
        gemm(shape, a, lda, b, ldb, c, ldc);
        gemm_each_row(rows.finish, &rows, shape.m, shape.n);
        return;
    }
    const Product whole = {shape, a, b, c, (size_t)lda, (size_t)ldb, (size_t)ldc, TILE_COLUMNS};
    if (most < 2) {
        multiply_pieces(whole, &rows, 0, shape.m);
        return;
    }
#pragma omp parallel
    {
        cores_keep_apart();
        const int share = (shape.m + parallel_team() - 1) / parallel_team();
        const int first = int_min(parallel_number() * share, shape.m);
        multiply_pieces(whole, &rows, first, int_min(first + share, shape.m));
    }
}

GemmFactor gemm_pack(Arena *arena, int k, int n, bool transpose_b, const float *b, int ldb)
{
    if (k <= 0 || n <= 0) return (GemmFactor){k, n, NULL};
    const Product whole = {
        .shape = {.n = n, .k = k, .transpose_b = transpose_b}, .b = b, .b_step = (size_t)ldb};
    const int count = (n + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const size_t next = (size_t)TILE_COLUMNS * (size_t)k;
    float *to = arena_alloc(arena, (size_t)count * next, sizeof *to);
    PARALLEL_FOR(parallel_worth((size_t)count * next), i, count,
                 pack_strip(to + (size_t)i * next, &whole, i * TILE_COLUMNS));
    return (GemmFactor){k, n, to};
}

void gemm_packed(int m, bool accumulate, const float *a, int lda, const GemmFactor *b, float *c, int ldc)
{
    if (b->k <= 0 || m <= 0 || b->n <= 0) {
        if (!accumulate) clear(c, ldc, m, b->n);
        return;
    }
    const Product whole = {.shape = {.m = m, .n = b->n, .k = b->k, .accumulate = accumulate},
                           .a = a,
                           .b = b->strips,
                           .c = c,
                           .a_step = (size_t)lda,
                           .b_step = TILE_COLUMNS,
                           .c_step = (size_t)ldc,
                           .b_next = (size_t)TILE_COLUMNS * (size_t)b->k};
    multiply(&whole);
}

// C (M × N) = op(A) (M × K) · op(B) (K × N), three plain loops: the oracle of gemm.
void gemm_naive(GemmShape shape, const float *a, int lda, const float *b, int ldb, float *c, int ldc)
{
    for (int i = 0; i < shape.m; i++) {
        for (int j = 0; j < shape.n; j++) {
            float *out = &c[(size_t)i * (size_t)ldc + (size_t)j];
            float total = shape.accumulate ? *out : 0.0f;
            for (int p = 0; p < shape.k; p++) {
                const float x = shape.transpose_a ? a[(size_t)p * (size_t)lda + (size_t)i]
                                                  : a[(size_t)i * (size_t)lda + (size_t)p];
                const float y = shape.transpose_b ? b[(size_t)j * (size_t)ldb + (size_t)p]
                                                  : b[(size_t)p * (size_t)ldb + (size_t)j];
                total = __builtin_fmaf(x, y, total);
            }
            *out = total;
        }
    }
}
