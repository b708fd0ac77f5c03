// sparse.c: see sparse.h.
#include "matrix/sparse.h"
#include "base/parallel.h"
#include "matrix/vectors.h"

#include <string.h>

// start[i] (keys + 1 of them) receives how many of the count numbers in key are less than i; order, where in the sorted
// list each stands. Equal ones keep their order (a counting sort).
static void sort_by(int *start, int *order, const int *key, int count, int keys)
{
    memset(start, 0, ((size_t)keys + 1) * sizeof *start);
    for (int k = 0; k < count; k++) start[key[k] + 1]++;
    for (int i = 0; i < keys; i++) start[i + 1] += start[i];
    for (int k = 0; k < count; k++) order[k] = start[key[k]]++;
    for (int i = keys; i > 0; i--) start[i] = start[i - 1];
    start[0] = 0;
}

// Neighbours in the same place become one. Returns how many are left.
static int add_up_equals(int *start, int *column, float *value, int rows)
{
    int kept = 0;
    for (int i = 0; i < rows; i++) {
        const int first = kept;
        for (int k = start[i]; k < start[i + 1]; k++) {
            if (kept > first && column[kept - 1] == column[k]) {
                value[kept - 1] += value[k];
                continue;
            }
            column[kept] = column[k];
            value[kept++] = value[k];
        }
        start[i] = first;
    }
    start[rows] = kept;
    return kept;
}

Sparse sparse_new_at(Place place, Arena *arena, int rows, int cols, int count, const int *row,
                     const int *column, const float *values)
{
    check_at(place, rows >= 0 && cols >= 0 && count >= 0, "sizes are not negative",
             "sparse_new: (%d × %d) with %d elements", rows, cols, count);
    for (int k = 0; k < count; k++)
        check_at(place, row[k] >= 0 && row[k] < rows && column[k] >= 0 && column[k] < cols,
                 "rows and columns are counted from 0", "sparse_new: element %d at (%d, %d) of (%d × %d)", k,
                 row[k], column[k], rows, cols);
    int *start = arena_alloc_at(place, arena, (size_t)rows + 1, sizeof *start);
    int *to = arena_alloc_at(place, arena, (size_t)count, sizeof *to);
    float *value = arena_alloc_at(place, arena, (size_t)count, sizeof *value);

    // Sorted by columns, then by rows: the second sort keeps the order of the first among equals.
    ArenaMark mark = arena_mark(arena);
    int *by_column = arena_alloc_at(place, arena, (size_t)cols + 1, sizeof *by_column);
    int *order = arena_alloc_at(place, arena, (size_t)count, sizeof *order);
    int *sorted = arena_alloc_at(place, arena, (size_t)count, sizeof *sorted);
    int *sorted_row = arena_alloc_at(place, arena, (size_t)count, sizeof *sorted_row);
    sort_by(by_column, order, column, count, cols);
    for (int k = 0; k < count; k++) sorted[order[k]] = k;
    for (int k = 0; k < count; k++) sorted_row[k] = row[sorted[k]];
    sort_by(start, order, sorted_row, count, rows);
    for (int k = 0; k < count; k++) {
        to[order[k]] = column[sorted[k]];
        value[order[k]] = values ? values[sorted[k]] : 1.0f;
    }
    arena_rewind(arena, mark);
    return (Sparse){rows, cols, add_up_equals(start, to, value, rows), start, to, value};
}

Sparse sparse_transpose_at(Place place, Arena *arena, Sparse s)
{
    int *start = arena_alloc_at(place, arena, (size_t)s.cols + 1, sizeof *start);
    int *column = arena_alloc_at(place, arena, (size_t)s.count, sizeof *column);
    float *value = arena_alloc_at(place, arena, (size_t)s.count, sizeof *value);
    ArenaMark mark = arena_mark(arena);
    int *order = arena_alloc_at(place, arena, (size_t)s.count, sizeof *order);
    sort_by(start, order, s.column, s.count, s.cols);
    for (int i = 0; i < s.rows; i++)
        for (int k = s.start[i]; k < s.start[i + 1]; k++) {
            column[order[k]] = i;
            value[order[k]] = s.value[k];
        }
    arena_rewind(arena, mark);
    return (Sparse){s.cols, s.rows, s.count, start, column, value};
}

// ---- Products -----------------------------------------------------------------------------------------------------------
// A row's sums stay in registers while its elements pass: in memory, each term would wait for the last one's store. Its columns
// are taken in strips of a few vectors, all rows of a block after the other.

enum { STRIP_VECTORS = 4, STRIP = STRIP_VECTORS * VECTOR_LANES, ROWS_AT_ONCE = 32 };

INLINE Vector load_part(bool whole, Mask mask, const float *p)
{
    return whole ? load(p) : load_first(mask, p);
}

// Rows first_row … last_row−1 of some columns of out, with the same columns of m: so many vectors of them, of the last only the
// lanes of the mask unless it is whole. With constants for vectors and whole, sum is registers.
INLINE void strip_of_rows(Matrix out, const Sparse *s, Matrix m, bool accumulate, int column, int first_row,
                          int last_row, int vectors, bool whole, Mask mask)
{
    const int last = vectors - 1, end = last * VECTOR_LANES;
    for (int i = first_row; i < last_row; i++) {
        float *to = matrix_row(out, i) + column;
        Vector sum[STRIP_VECTORS];
        UNROLL for (int v = 0; v < last; v++) sum[v] =
            accumulate ? load(to + v * VECTOR_LANES) : broadcast(0.0f);
        sum[last] = accumulate ? load_part(whole, mask, to + end) : broadcast(0.0f);
        for (int k = s->start[i]; k < s->start[i + 1]; k++) {
            const float *from = matrix_row(m, s->column[k]) + column;
            const Vector factor = broadcast(s->value[k]);
            UNROLL for (int v = 0; v < last; v++) sum[v] =
                fused(factor, load(from + v * VECTOR_LANES), sum[v]);
            sum[last] = fused(factor, load_part(whole, mask, from + end), sum[last]);
        }
        UNROLL for (int v = 0; v < last; v++) store(to + v * VECTOR_LANES, sum[v]);
        if (whole) {
            store(to + end, sum[last]);
        } else {
            store_first(mask, to + end, sum[last]);
        }
    }
}

static void some_rows(Matrix out, const Sparse *s, Matrix m, bool accumulate, int first_row, int last_row)
{
    for (int column = 0; column < m.cols; column += STRIP) {
        const int count = int_min(STRIP, m.cols - column), lanes = (count - 1) % VECTOR_LANES + 1;
        const Mask mask = first(lanes);
#define WITH(vectors, whole)                                                                                 \
    strip_of_rows(out, s, m, accumulate, column, first_row, last_row, vectors, whole, mask);                 \
    break
        switch (2 * ((count - 1) / VECTOR_LANES) + (lanes == VECTOR_LANES)) {
        case 0:
            WITH(1, false);
        case 1:
            WITH(1, true);
        case 2:
            WITH(2, false);
        case 3:
            WITH(2, true);
        case 4:
            WITH(3, false);
        case 5:
            WITH(3, true);
        case 6:
            WITH(4, false);
        default:
            WITH(4, true);
        }
#undef WITH
    }
}

void sparse_matmul_at(Place place, Matrix out, Sparse s, Matrix m, bool accumulate)
{
    check_at(place, out.rows == s.rows && m.rows == s.cols && out.cols == m.cols,
             "the columns of the sparse matrix are the rows of the other",
             "sparse_matmul: (%d × %d) · (%d × %d) into (%d × %d)", s.rows, s.cols, m.rows, m.cols, out.rows,
             out.cols);
#pragma omp parallel for if (parallel_worth((size_t)s.count * (size_t)m.cols))
    for (int i = 0; i < s.rows; i += ROWS_AT_ONCE)
        some_rows(out, &s, m, accumulate, i, int_min(s.rows, i + ROWS_AT_ONCE));
}

Matrix sparse_to_matrix_at(Place place, Arena *arena, Sparse s)
{
    Matrix out = matrix_new_at(place, arena, s.rows, s.cols);
    for (int i = 0; i < s.rows; i++)
        for (int k = s.start[i]; k < s.start[i + 1]; k++) AT(out, i, s.column[k]) = s.value[k];
    return out;
}
