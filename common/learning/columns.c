// columns.c: sums down the columns. See columns.h.
#include "learning/columns.h"
#include "base/parallel.h"

enum { WIDTH = 16, LANES = 4, CHUNKS = 64, CHUNK_ROWS = 256 };

// A term for each row and column: a_ij, a_ij · b_ij or a_ij · (b_ij − centre_j). a, b and centre point at the
// first column.
typedef struct {
    const float *a, *b, *centre; // b and centre may be NULL
    size_t stride;               // from one row of a and b to the next
} Terms;

// lane_j += the terms of row i, for width columns: always inlined, so that the usual full width is vector
// code.
static inline __attribute__((always_inline)) void add_terms(float *restrict lane, Terms t, size_t i,
                                                            int width)
{
    const float *restrict a = t.a + i * t.stride;
    if (!t.b) {
        for (int j = 0; j < width; j++) lane[j] += a[j];
        return;
    }
    const float *restrict b = t.b + i * t.stride;
    if (!t.centre) {
        for (int j = 0; j < width; j++) lane[j] = __builtin_fmaf(a[j], b[j], lane[j]);
    } else {
        for (int j = 0; j < width; j++) lane[j] = __builtin_fmaf(a[j], b[j] - t.centre[j], lane[j]);
    }
}

static inline __attribute__((always_inline)) void sum_lanes(float lane[LANES][WIDTH], Terms t, size_t first,
                                                            size_t last, int width)
{
    size_t i = first;
    for (; i + LANES <= last; i += LANES)
        for (int l = 0; l < LANES; l++) add_terms(lane[l], t, i + (size_t)l, width);
    for (int l = 0; i < last; i++, l++) add_terms(lane[l], t, i, width);
}

// out[j] = the terms of rows first … last−1
static void chunk_sums(float *restrict out, Terms t, size_t first, size_t last, int width)
{
    float lane[LANES][WIDTH] = {{0}};
    if (width == WIDTH) {
        sum_lanes(lane, t, first, last, WIDTH);
    } else {
        sum_lanes(lane, t, first, last, width);
    }
    for (int j = 0; j < width; j++) out[j] = (lane[0][j] + lane[1][j]) + (lane[2][j] + lane[3][j]);
}

// The same terms, seen from a later column.
static Terms from_column(Terms t, int column)
{
    return (Terms){t.a + column, t.b ? t.b + column : NULL, t.centre ? t.centre + column : NULL, t.stride};
}

static void add_sums(Matrix d, Terms terms, int rows)
{
    size_t size = (size_t)int_max(CHUNK_ROWS, (rows + CHUNKS - 1) / CHUNKS), count = (size_t)rows;
    int chunks = (int)((count + size - 1) / size);
    if (chunks <= 1) {
#pragma omp parallel for if (parallel_worth(count * (size_t)d.cols))
        for (int first = 0; first < d.cols; first += WIDTH) {
            float total[WIDTH];
            int width = int_min(WIDTH, d.cols - first);
            chunk_sums(total, from_column(terms, first), 0, count, width);
            for (int j = 0; j < width; j++) d.data[first + j] += total[j];
        }
        return;
    }
    for (int first = 0; first < d.cols; first += WIDTH) {
        float partial[CHUNKS][WIDTH];
        int width = int_min(WIDTH, d.cols - first);
#pragma omp parallel for if (parallel_worth(count * WIDTH))
        for (int c = 0; c < chunks; c++) {
            size_t start = (size_t)c * size, end = start + size < count ? start + size : count;
            chunk_sums(partial[c], from_column(terms, first), start, end, width);
        }
        for (int c = 0; c < chunks; c++)
            for (int j = 0; j < width; j++) d.data[first + j] += partial[c][j];
    }
}

void add_column_sums(Matrix d, Matrix a) { add_sums(d, (Terms){a.data, NULL, NULL, (size_t)a.cols}, a.rows); }
void add_column_dots(Matrix d, Matrix a, Matrix b)
{
    add_sums(d, (Terms){a.data, b.data, NULL, (size_t)a.cols}, a.rows);
}

void add_centred_dots(Matrix d, Matrix a, Matrix b, Matrix centre)
{
    add_sums(d, (Terms){a.data, b.data, centre.data, (size_t)a.cols}, a.rows);
}
