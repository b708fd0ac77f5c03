// columns.c: sums down the columns. See columns.h.
#include "matrix/columns.h"
#include "base/check.h"
#include "base/parallel.h"
#include "matrix/lanes.h"
#include "matrix/vectors.h"

// Columns are taken VECTORS · 16 at a time where there are so many, else 16: the order within a column is the
// same.
enum { VECTORS = 4, ROWS_AT_ONCE = 4, WIDE = VECTORS * LANES, CHUNKS = 64, CHUNK_ROWS = 256 };

// What each row adds: a, a − centre, a ⊙ b, a ⊙ (b − centre) or (a − centre)². The pointers stand at the first column.
typedef enum { SUMS, CENTRED_SUMS, DOTS, CENTRED_DOTS, CENTRED_SQUARES } Kind;
typedef struct {
    Kind kind;
    const float *a, *b, *centre;
    size_t stride; // from one row of a and b to the next
} Terms;

// total += the terms of row i in vectors · 16 columns. Always inlined, so that kind and vectors are known.
static inline __attribute__((always_inline)) void add_terms(Lanes *total, const Terms *t, Kind kind,
                                                            const Lanes *centre, int vectors, size_t i)
{
    Lanes a, b;
    for (int v = 0; v < vectors; v++) {
        size_t place = i * t->stride + (size_t)v * LANES;
        lanes_load(&a, t->a + place);
        if (kind == SUMS) total[v] += a;
        if (kind == CENTRED_SUMS) total[v] += a - centre[v];
        if (kind == CENTRED_SQUARES) total[v] += (a - centre[v]) * (a - centre[v]);
        if (kind == DOTS || kind == CENTRED_DOTS) {
            lanes_load(&b, t->b + place);
            total[v] += a * (kind == DOTS ? b : b - centre[v]);
        }
    }
}

// out += Σ of the terms of rows first … last−1 in vectors · 16 columns
static inline __attribute__((always_inline)) void sum_wide(float *out, const Terms *t, Kind kind, int vectors,
                                                           size_t first, size_t last)
{
    Lanes total[ROWS_AT_ONCE][VECTORS] = {{{0}}}, centre[VECTORS] = {{0}};
    if (kind == CENTRED_SUMS || kind == CENTRED_DOTS || kind == CENTRED_SQUARES)
        for (int v = 0; v < vectors; v++) lanes_load(&centre[v], t->centre + v * LANES);
    size_t i = first;
    for (; i + ROWS_AT_ONCE <= last; i += ROWS_AT_ONCE)
        for (int l = 0; l < ROWS_AT_ONCE; l++) add_terms(total[l], t, kind, centre, vectors, i + (size_t)l);
    for (int l = 0; i < last; i++, l++) add_terms(total[l], t, kind, centre, vectors, i);
    for (int v = 0; v < vectors; v++) {
        Lanes sum = (total[0][v] + total[1][v]) + (total[2][v] + total[3][v]);
        for (int j = 0; j < LANES; j++) out[v * LANES + j] += sum[j];
    }
}

// The same in the last columns, fewer than sixteen, one after the other and in the same order.
static void sum_narrow(float *out, const Terms *t, size_t first, size_t last, int width)
{
    for (int j = 0; j < width; j++) {
        float total[ROWS_AT_ONCE] = {0};
        for (size_t i = first; i < last; i++) {
            float a = t->a[i * t->stride + (size_t)j], term = a;
            if (t->kind == CENTRED_SUMS) term = a - t->centre[j];
            if (t->kind == DOTS) term = a * t->b[i * t->stride + (size_t)j];
            if (t->kind == CENTRED_DOTS) term = a * (t->b[i * t->stride + (size_t)j] - t->centre[j]);
            if (t->kind == CENTRED_SQUARES) term = (a - t->centre[j]) * (a - t->centre[j]);
            total[(i - first) % ROWS_AT_ONCE] += term;
        }
        out[j] += (total[0] + total[1]) + (total[2] + total[3]);
    }
}

// sum_wide for the kind of t: written out, so that each is compiled for its kind.
static inline __attribute__((always_inline)) void sum_kind(float *out, const Terms *t, int vectors,
                                                           size_t first, size_t last)
{
    if (t->kind == SUMS) sum_wide(out, t, SUMS, vectors, first, last);
    if (t->kind == CENTRED_SUMS) sum_wide(out, t, CENTRED_SUMS, vectors, first, last);
    if (t->kind == DOTS) sum_wide(out, t, DOTS, vectors, first, last);
    if (t->kind == CENTRED_DOTS) sum_wide(out, t, CENTRED_DOTS, vectors, first, last);
    if (t->kind == CENTRED_SQUARES) sum_wide(out, t, CENTRED_SQUARES, vectors, first, last);
}

// out (width) += Σ of the terms of rows first … last−1 in the columns column … column + width − 1, width ≤
// WIDE
static void sum_chunk(float *out, const Terms *terms, int column, int width, size_t first, size_t last)
{
    for (int done = 0; done < width;) {
        Terms t = *terms;
        t.a += column + done;
        if (t.b) t.b += column + done;
        if (t.centre) t.centre += column + done;
        int left = width - done;
        if (left == WIDE) {
            sum_kind(out, &t, VECTORS, first, last);
        } else if (left >= LANES) {
            sum_kind(out + done, &t, 1, first, last);
        } else {
            sum_narrow(out + done, &t, first, last, left);
        }
        done += left == WIDE ? WIDE : int_min(left, LANES);
    }
}

static size_t chunk_size(int rows)
{
    return (size_t)int_max(CHUNK_ROWS, rows / CHUNKS + (rows % CHUNKS != 0));
}

static void add_sums(Matrix d, Terms terms, int rows)
{
    size_t size = chunk_size(rows), count = (size_t)rows;
    int chunks = (int)((count + size - 1) / size);
    if (chunks <= 1) {
        PARALLEL_FOR(parallel_worth(count * (size_t)d.cols), block, (d.cols + WIDE - 1) / WIDE,
                     sum_chunk(d.data + block * WIDE, &terms, block * WIDE,
                               int_min(WIDE, d.cols - block * WIDE), 0, count));
        return;
    }
    for (int column = 0; column < d.cols; column += WIDE) {
        float partial[CHUNKS][WIDE] = {{0}};
        int width = int_min(WIDE, d.cols - column);
        PARALLEL_FOR(parallel_worth(count * (size_t)width), c, chunks, {
            size_t first = (size_t)c * size, last = first + size < count ? first + size : count;
            sum_chunk(partial[c], &terms, column, width, first, last);
        });
        for (int c = 0; c < chunks; c++)
            for (int j = 0; j < width; j++) d.data[column + j] += partial[c][j];
    }
}

void add_column_sums(Matrix d, Matrix a)
{
    add_sums(d, (Terms){SUMS, a.data, NULL, NULL, (size_t)a.cols}, a.rows);
}

void add_column_dots(Matrix d, Matrix a, Matrix b)
{
    add_sums(d, (Terms){DOTS, a.data, b.data, NULL, (size_t)a.cols}, a.rows);
}

void add_centred_dots(Matrix d, Matrix a, Matrix b, Matrix centre)
{
    add_sums(d, (Terms){CENTRED_DOTS, a.data, b.data, centre.data, (size_t)a.cols}, a.rows);
}

void add_centred_squares(Matrix d, Matrix a, Matrix centre)
{
    add_sums(d, (Terms){CENTRED_SQUARES, a.data, NULL, centre.data, (size_t)a.cols}, a.rows);
}

// ---- Two sums at once -------------------------------------------------------------------------------------

// With a: Σ a and Σ a ⊙ (b − centre), where active is given only of those a whose active is positive. Without:
// Σ (b − centre) and Σ (b − centre)².
typedef struct {
    const float *a, *active, *b, *centre;
    size_t stride;
} Pair;
typedef enum { ALL, ACTIVE, MOMENTS } PairKind;

INLINE void pair_terms(Vector *sum, Vector *dot, const Pair *p, const PairKind kind, Mask mask, Vector centre,
                       size_t place)
{
    // What will be wanted a page later is asked for; moments were read before, for their mean.
    if (kind != MOMENTS) {
        ask_for(p->a + place, PAGE);
        ask_for(p->b + place, PAGE);
    }
    if (kind == ACTIVE) ask_for(p->active + place, PAGE);
    const Vector distance = load_first(mask, p->b + place) - centre;
    Vector d = kind == MOMENTS ? distance : load_first(mask, p->a + place);
    if (kind == ACTIVE) d = where_positive(load_first(mask, p->active + place), d);
    *sum = *sum + d;
    *dot = *dot + d * distance;
}

// sum and dot (count) += the terms of rows first_row … last − 1, in four lanes of rows; the pointers stand at the first
// column. kind is known where this is inlined.
INLINE void add_pair(float *sum, float *dot, const Pair *p, const PairKind kind, int count, size_t first_row,
                     size_t last)
{
    const Mask mask = first(count);
    const Vector centre = load_first(mask, p->centre);
    Vector sums[ROWS_AT_ONCE], dots[ROWS_AT_ONCE];
    for (int l = 0; l < ROWS_AT_ONCE; l++) sums[l] = dots[l] = broadcast(0.0f);
    size_t i = first_row;
    for (; i + ROWS_AT_ONCE <= last; i += ROWS_AT_ONCE) {
        UNROLL
        for (size_t l = 0; l < ROWS_AT_ONCE; l++)
            pair_terms(&sums[l], &dots[l], p, kind, mask, centre, (i + l) * p->stride);
    }
    for (size_t l = 0; i + l < last; l++)
        pair_terms(&sums[l], &dots[l], p, kind, mask, centre, (i + l) * p->stride);
    store_first(mask, sum, load_first(mask, sum) + ((sums[0] + sums[1]) + (sums[2] + sums[3])));
    store_first(mask, dot, load_first(mask, dot) + ((dots[0] + dots[1]) + (dots[2] + dots[3])));
}

static void pair_chunk(float *sum, float *dot, const Pair *pair, int cols, size_t first_row, size_t last)
{
    for (int column = 0; column < cols; column += VECTOR_LANES) {
        const int count = int_min(VECTOR_LANES, cols - column);
        Pair p = *pair;
        p.b += column, p.centre += column;
        if (p.a) p.a += column;
        if (p.active) p.active += column;
        if (!p.a) {
            add_pair(sum + column, dot + column, &p, MOMENTS, count, first_row, last);
        } else if (p.active) {
            add_pair(sum + column, dot + column, &p, ACTIVE, count, first_row, last);
        } else {
            add_pair(sum + column, dot + column, &p, ALL, count, first_row, last);
        }
    }
}

void add_active_sums(Matrix sum, Matrix dot, Matrix a, Matrix active, Matrix b, Matrix centre)
{
    const size_t size = chunk_size(a.rows), count = (size_t)a.rows;
    const int chunks = (int)((count + size - 1) / size);
    for (int column = 0; column < a.cols; column += WIDE) {
        float sums[CHUNKS][WIDE] = {{0}}, dots[CHUNKS][WIDE] = {{0}};
        const int width = int_min(WIDE, a.cols - column);
        const Pair pair = {a.data + column, active.data ? active.data + column : NULL, b.data + column,
                           centre.data + column, (size_t)a.cols};
        PARALLEL_FOR(parallel_worth(count * (size_t)width), c, chunks, {
            const size_t first = (size_t)c * size, last = first + size < count ? first + size : count;
            pair_chunk(sums[c], dots[c], &pair, width, first, last);
        });
        for (int c = 0; c < chunks; c++)
            for (int j = 0; j < width; j++) {
                sum.data[column + j] += sums[c][j];
                dot.data[column + j] += dots[c][j];
            }
    }
}

// ---- Moments ----------------------------------------------------------------------------------------------
// A float sum of numbers far from 0 misses by more than their distances. So all sums are of distances: from the first
// row, which are exact where the numbers lie close together, then from the mean that these give.

// centre receives the mean of the chunk, rounded; sum and square the sums of the distances from it and of their squares.
static void chunk_moments(float *centre, float *sum, float *square, Matrix a, int column, int width,
                          size_t first, size_t last)
{
    const float share = 1.0f / (float)(last - first), *origin = a.data + column;
    // sum_chunk finds the centre of a column as it finds the column.
    sum_chunk(centre, &(Terms){CENTRED_SUMS, a.data, NULL, a.data, (size_t)a.cols}, column, width, first,
              last);
    for (int j = 0; j < width; j++) centre[j] = origin[j] + centre[j] * share;
    pair_chunk(sum, square, &(Pair){NULL, NULL, a.data + column, centre, (size_t)a.cols}, width, first, last);
}

// The chunks of one block of columns.
typedef struct {
    float centre[CHUNKS][WIDE], sum[CHUNKS][WIDE], square[CHUNKS][WIDE];
    double rows[CHUNKS];
    int chunks;
} Moments;

// The mean of column j of the block, counted from origin; *square receives the sum of the squared distances from it.
static double join_moments(const Moments *m, int j, double origin, double *square)
{
    double total = 0.0, rows = 0.0;
    for (int c = 0; c < m->chunks; c++) {
        total += m->rows[c] * ((double)m->centre[c][j] - origin) + (double)m->sum[c][j];
        rows += m->rows[c];
    }
    const double mean = total / rows;
    *square = 0.0;
    for (int c = 0; c < m->chunks; c++) {
        const double rest = (double)m->sum[c][j] / m->rows[c]; // what the mean of the chunk was rounded by
        const double off = (double)m->centre[c][j] - origin + rest - mean;
        *square += (double)m->square[c][j] - rest * (double)m->sum[c][j] + m->rows[c] * off * off;
    }
    return mean;
}

void column_moments_in_two(Matrix mean, Matrix rest, Matrix variance, Matrix a)
{
    check(a.rows > 0, "a mean needs at least one row", "column_moments: a (%d × %d) matrix", a.rows, a.cols);
    const size_t size = chunk_size(a.rows), count = (size_t)a.rows;
    for (int column = 0; column < a.cols; column += WIDE) {
        Moments m = {.chunks = (int)((count + size - 1) / size)};
        const int width = int_min(WIDE, a.cols - column);
        PARALLEL_FOR(parallel_worth(count * (size_t)width), c, m.chunks, {
            const size_t first = (size_t)c * size, last = first + size < count ? first + size : count;
            m.rows[c] = (double)(last - first);
            chunk_moments(m.centre[c], m.sum[c], m.square[c], a, column, width, first, last);
        });
        for (int j = 0; j < width; j++) {
            const double origin = (double)a.data[column + j];
            double square;
            const double centre = origin + join_moments(&m, j, origin, &square);
            const float rounded = (float)centre;
            mean.data[column + j] = rounded;
            if (rest.data) rest.data[column + j] = (float)(centre - (double)rounded);
            variance.data[column + j] = square < 0.0 ? 0.0f : (float)(square / (double)count);
        }
    }
}

void column_moments(Matrix mean, Matrix variance, Matrix a)
{
    column_moments_in_two(mean, (Matrix){0, 0, NULL}, variance, a);
}
