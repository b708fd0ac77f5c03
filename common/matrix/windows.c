// windows.c: products with windows. See windows.h, and gemm.c for how a tile works: a piece of C stays in registers
// while the sums run. Here tiles have every height up to TILE_ROWS, since the lines of pictures have many lengths, and
// the rows of a long line are shared equally between its tiles: 24 rows are done as 12 + 12.
//
// A tile that is one vector wide has registers for twice as many rows, which share what it reads of B. The gradients of weights,
// where one address serves all rows, are done so where they can be shared in fours: 28 rows at once, 48 as 24 + 24.
#include "matrix/windows.h"
#include "base/check.h"
#include "matrix/vectors.h"

enum { FOURS = 4, TALL_ROWS = 2 * TILE_ROWS };
_Static_assert(TALL_ROWS % FOURS == 0 && TALL_ROWS <= 28 && TILE_ROWS <= 14, "the heights of tile_of_height");

// What tiles of the same columns share. wide: two vectors of columns, the first of them full. The product is looked at where its
// caller has written it: a copy made of it at once would wait until the last of its numbers has reached the cache.
typedef struct {
    const WindowProduct *product;
    int column, count; // the first column, and how many of them the last vector has
    Mask mask;         // first(count)
} Strip;

// Rows row … row + rows − 1 of C. All of this is done with rows, wide and by_rows known to the compiler. by_rows: a_term = 1,
// otherwise a_row = 1.
INLINE void tile(const int rows, const bool wide, const bool by_rows, const Strip *strip, int row)
{
    const WindowProduct *s = strip->product;
    const Mask mask = strip->mask;
    const float *bias = s->bias ? s->bias + strip->column : NULL;
    float *c = s->c + (size_t)row * s->c_row + strip->column;
    Vector left[TILE_ROWS], right[TALL_ROWS];
    const int last = wide ? VECTOR_LANES : 0;
    UNROLL
    for (int i = 0; i < rows; i++) {
        const float *start = s->accumulate ? c + (size_t)i * s->c_row : bias;
        if (wide) left[i] = start ? load(start) : broadcast(0.0f);
        right[i] = start ? load_first(mask, start + last) : broadcast(0.0f);
    }

    // One address serves three rows.
    const size_t a_row = s->a_row, a_term = s->a_term, b_term = s->b_term;
    const size_t a_jump = s->a_piece - (size_t)s->terms * a_term,
                 b_jump = s->b_piece - (size_t)s->terms * b_term;
    const int addresses = by_rows ? (rows + 2) / 3 : 1;
    const float *a[(TILE_ROWS + 2) / 3], *b = s->b + strip->column;
    UNROLL
    for (int g = 0; g < addresses; g++) a[g] = s->a + ((size_t)row + 3 * (size_t)g) * a_row;
    for (int p = 0; p < s->pieces; p++) {
        for (int t = 0; t < s->terms; t++) {
            const Vector b_left = wide ? load(b) : broadcast(0.0f);
            const Vector b_right = load_first(mask, b + last);
            UNROLL
            for (int i = 0; i < rows; i++) {
                const Vector x = broadcast(by_rows ? a[i / 3][(size_t)(i % 3) * a_row] : a[0][i]);
                if (wide) left[i] = fused(x, b_left, left[i]);
                right[i] = fused(x, b_right, right[i]);
            }
            b += b_term;
            UNROLL
            for (int g = 0; g < addresses; g++) a[g] += by_rows ? 1 : a_term;
        }
        b += b_jump;
        UNROLL
        for (int g = 0; g < addresses; g++) a[g] += a_jump;
    }

    __asm__("" : "+r"(c)); // the addresses of the start are not kept meanwhile
    UNROLL
    for (int i = 0; i < rows; i++, c += s->c_row) {
        if (wide) store(c, s->relu ? above_zero(left[i]) : left[i]);
        store_some(strip->count, mask, c + last, s->relu ? above_zero(right[i]) : right[i]);
    }
}

INLINE void tile_of(const int rows, const bool wide, const bool by_rows, const Strip *strip, int row)
{
    const bool possible = rows <= TILE_ROWS || (!wide && !by_rows && rows <= TALL_ROWS && rows % FOURS == 0);
    if (possible) tile(possible ? rows : 1, wide, by_rows, strip, row);
}

INLINE void tile_of_height(int rows, const bool wide, const bool by_rows, const Strip *strip, int row)
{
#define HEIGHT(n)                                                                                            \
    case n:                                                                                                  \
        tile_of(n, wide, by_rows, strip, row);                                                               \
        break;
    switch (rows) {
        // clang-format off
        HEIGHT(1) HEIGHT(2) HEIGHT(3) HEIGHT(4) HEIGHT(5) HEIGHT(6) HEIGHT(7) HEIGHT(8) HEIGHT(9) HEIGHT(10)
        HEIGHT(11) HEIGHT(12) HEIGHT(13) HEIGHT(14) HEIGHT(16) HEIGHT(20) HEIGHT(24) HEIGHT(28)
        // clang-format on
    }
#undef HEIGHT
}

static void narrow_rows(int rows, const Strip *s, int row) { tile_of_height(rows, false, true, s, row); }
static void narrow_columns(int rows, const Strip *s, int row) { tile_of_height(rows, false, false, s, row); }
static void wide_rows(int rows, const Strip *s, int row) { tile_of_height(rows, true, true, s, row); }
static void wide_columns(int rows, const Strip *s, int row) { tile_of_height(rows, true, false, s, row); }

void window_product(const WindowProduct *p)
{
    check(p->a_term == 1 || p->a_row == 1, "rows of A are windows, or its columns are",
          "window_product: rows at a distance of %zu, terms of %zu", p->a_row, p->a_term);
    if (p->rows <= 0) return;
    for (int j = 0; j < p->columns; j += 2 * VECTOR_LANES) {
        const int columns = int_min(2 * VECTOR_LANES, p->columns - j);
        const bool wide = columns > VECTOR_LANES;
        const bool fours = !wide && p->a_term != 1 && p->rows % FOURS == 0;
        const int unit = fours ? FOURS : 1, most = fours ? TALL_ROWS : TILE_ROWS;
        const int tiles = (p->rows + most - 1) / most;
        const int count = wide ? columns - VECTOR_LANES : columns;
        const Strip strip = {p, j, count, first(count)};
        for (int t = 0, row = 0; t < tiles; t++) {
            const int rows = (p->rows - row) / (tiles - t) / unit * unit;
            if (p->a_term == 1)
                (wide ? wide_rows : narrow_rows)(rows, &strip, row);
            else
                (wide ? wide_columns : narrow_columns)(rows, &strip, row);
            row += rows;
        }
    }
}

void window_product_naive(const WindowProduct *p)
{
    for (int i = 0; i < p->rows; i++)
        for (int j = 0; j < p->columns; j++) {
            float *c = &p->c[(size_t)i * p->c_row + (size_t)j];
            float total = p->accumulate ? *c : p->bias ? p->bias[j] : 0.0f;
            for (int piece = 0; piece < p->pieces; piece++)
                for (int t = 0; t < p->terms; t++)
                    total = __builtin_fmaf(
                        p->a[(size_t)i * p->a_row + (size_t)piece * p->a_piece + (size_t)t * p->a_term],
                        p->b[(size_t)piece * p->b_piece + (size_t)t * p->b_term + (size_t)j], total);
            *c = p->relu && total < 0.0f ? 0.0f : total;
        }
}
