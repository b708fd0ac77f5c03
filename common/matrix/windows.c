// windows.c: products with windows. See windows.h, and gemm.c for how a tile works: a piece of C stays in registers
// while the sums run. Here tiles have every height up to TILE_ROWS, since the lines of pictures have many lengths, and
// the rows of a long line are shared equally between its tiles: 24 rows are done as 12 + 12.
#include "matrix/windows.h"
#include "base/check.h"
#include "matrix/vectors.h"

// All of this is done with rows, wide and by_rows known to the compiler. wide: two vectors of columns, the first of
// them full; mask: the columns of the last one. s has the columns of one strip. by_rows: a_term = 1, otherwise a_row = 1.
INLINE void tile(const int rows, const bool wide, const bool by_rows, const WindowProduct *s, Mask mask)
{
    Vector left[TILE_ROWS], right[TILE_ROWS];
    const int last = wide ? VECTOR_LANES : 0;
    UNROLL
    for (int i = 0; i < rows; i++) {
        const float *start = s->accumulate ? s->c + (size_t)i * s->c_row : s->bias;
        if (wide) left[i] = start ? load(start) : broadcast(0.0f);
        right[i] = start ? load_first(mask, start + last) : broadcast(0.0f);
    }

    // One address serves three rows.
    const size_t a_row = s->a_row, a_term = s->a_term, b_term = s->b_term;
    const size_t a_jump = s->a_piece - (size_t)s->terms * a_term,
                 b_jump = s->b_piece - (size_t)s->terms * b_term;
    const int addresses = by_rows ? (rows + 2) / 3 : 1;
    const float *a[(TILE_ROWS + 2) / 3], *b = s->b;
    UNROLL
    for (int g = 0; g < addresses; g++) a[g] = s->a + 3 * (size_t)g * a_row;
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

    float *c = s->c;
    __asm__("" : "+r"(c)); // the addresses of the start are not kept meanwhile
    UNROLL
    for (int i = 0; i < rows; i++, c += s->c_row) {
        if (wide) store(c, s->relu ? above_zero(left[i]) : left[i]);
        store_some(s->columns - last, mask, c + last, s->relu ? above_zero(right[i]) : right[i]);
    }
}

INLINE void tile_of(const int rows, const bool wide, const bool by_rows, const WindowProduct *s, Mask mask)
{
    if (rows <= TILE_ROWS) tile(rows <= TILE_ROWS ? rows : TILE_ROWS, wide, by_rows, s, mask);
}

INLINE void tile_of_height(int rows, const bool wide, const bool by_rows, const WindowProduct *s, Mask mask)
{
    switch (rows) {
    case 1:
        tile_of(1, wide, by_rows, s, mask);
        break;
    case 2:
        tile_of(2, wide, by_rows, s, mask);
        break;
    case 3:
        tile_of(3, wide, by_rows, s, mask);
        break;
    case 4:
        tile_of(4, wide, by_rows, s, mask);
        break;
    case 5:
        tile_of(5, wide, by_rows, s, mask);
        break;
    case 6:
        tile_of(6, wide, by_rows, s, mask);
        break;
    case 7:
        tile_of(7, wide, by_rows, s, mask);
        break;
    case 8:
        tile_of(8, wide, by_rows, s, mask);
        break;
    case 9:
        tile_of(9, wide, by_rows, s, mask);
        break;
    case 10:
        tile_of(10, wide, by_rows, s, mask);
        break;
    case 11:
        tile_of(11, wide, by_rows, s, mask);
        break;
    case 12:
        tile_of(12, wide, by_rows, s, mask);
        break;
    case 13:
        tile_of(13, wide, by_rows, s, mask);
        break;
    case 14:
        tile_of(14, wide, by_rows, s, mask);
        break;
    }
}
_Static_assert(TILE_ROWS <= 14, "");

static void narrow_rows(int rows, const WindowProduct *s, Mask m) { tile_of_height(rows, false, true, s, m); }
static void narrow_columns(int rows, const WindowProduct *s, Mask m)
{
    tile_of_height(rows, false, false, s, m);
}
static void wide_rows(int rows, const WindowProduct *s, Mask m) { tile_of_height(rows, true, true, s, m); }
static void wide_columns(int rows, const WindowProduct *s, Mask m)
{
    tile_of_height(rows, true, false, s, m);
}

void window_product(WindowProduct p)
{
    check(p.a_term == 1 || p.a_row == 1, "rows of A are windows, or its columns are",
          "window_product: rows at a distance of %zu, terms of %zu", p.a_row, p.a_term);
    if (p.rows <= 0) return;
    const int tiles = (p.rows + TILE_ROWS - 1) / TILE_ROWS;
    for (int j = 0; j < p.columns; j += 2 * VECTOR_LANES) {
        const int columns = int_min(2 * VECTOR_LANES, p.columns - j);
        const bool wide = columns > VECTOR_LANES;
        const Mask mask = first(wide ? columns - VECTOR_LANES : columns);
        WindowProduct s = p;
        s.columns = columns;
        s.b += j;
        s.c += j;
        if (s.bias) s.bias += j;
        for (int t = 0, done = 0; t < tiles; t++) {
            const int rows = (p.rows - done) / (tiles - t);
            if (p.a_term == 1)
                (wide ? wide_rows : narrow_rows)(rows, &s, mask);
            else
                (wide ? wide_columns : narrow_columns)(rows, &s, mask);
            s.a += (size_t)rows * p.a_row;
            s.c += (size_t)rows * p.c_row;
            done += rows;
        }
    }
}

void window_product_naive(WindowProduct p)
{
    for (int i = 0; i < p.rows; i++)
        for (int j = 0; j < p.columns; j++) {
            float *c = &p.c[(size_t)i * p.c_row + (size_t)j];
            float total = p.accumulate ? *c : p.bias ? p.bias[j] : 0.0f;
            for (int piece = 0; piece < p.pieces; piece++)
                for (int t = 0; t < p.terms; t++)
                    total = __builtin_fmaf(
                        p.a[(size_t)i * p.a_row + (size_t)piece * p.a_piece + (size_t)t * p.a_term],
                        p.b[(size_t)piece * p.b_piece + (size_t)t * p.b_term + (size_t)j], total);
            *c = p.relu && total < 0.0f ? 0.0f : total;
        }
}
