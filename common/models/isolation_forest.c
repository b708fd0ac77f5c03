#include "models/isolation_forest.h"
#include "base/mathf.h"
#include "base/parallel.h"

#include <string.h>

double isolation_usual_length(int n)
{
    if (n < 2) return 0.0;
    double harmonic = 0.0;
    for (int i = n - 1; i > 0; i--) harmonic += 1.0 / i; // the small ones first
    return 2.0 * harmonic - 2.0 * (n - 1) / n;
}

// A tree that grows: its nodes, at most 2 · sample − 1 of them, stand side by side.
typedef struct {
    Matrix x;
    Rng rng;
    int *rows;            // [sample], sorted in place into left and right
    int *columns;         // [d] in any order: those before a node's first candidate were found constant
    IsolationNode *nodes; // of the whole forest
    int count, limit;     // of nodes so far, those of other trees included; of the depth
    const float *usual;
} Growing;

static void column_range(const Growing *g, int column, int first, int end, float *low, float *high)
{
    *low = *high = AT(g->x, g->rows[first], column);
    for (int i = first + 1; i < end; i++) {
        const float value = AT(g->x, g->rows[i], column);
        *low = value < *low ? value : *low;
        *high = value > *high ? value : *high;
    }
}

// A column in which the rows differ, each with the same chance, or −1; *threshold cuts it.
static int draw_cut(Growing *g, int first, int end, float *threshold)
{
    for (int left = g->x.cols; left > 0; left--) {
        const int at = (int)rng_below(&g->rng, (uint32_t)left), column = g->columns[at];
        float low, high;
        column_range(g, column, first, end, &low, &high);
        if (low < high) {
            *threshold = rng_between(&g->rng, low, high);
            return column;
        }
        g->columns[at] = g->columns[left - 1];
        g->columns[left - 1] = column;
    }
    return -1;
}

// The rows first … end − 1 that are at most the threshold come first; returns where the others begin.
static int part_rows(Growing *g, int column, float threshold, int first, int end)
{
    int middle = first;
    for (int i = first; i < end; i++) {
        const int row = g->rows[i];
        if (AT(g->x, row, column) > threshold) continue;
        g->rows[i] = g->rows[middle];
        g->rows[middle++] = row;
    }
    return middle;
}

static void grow(Growing *g, int node, int first, int end, int depth)
{
    float threshold = 0.0f;
    const int column = end - first > 1 && depth < g->limit ? draw_cut(g, first, end, &threshold) : -1;
    if (column < 0) {
        g->nodes[node] = (IsolationNode){INFINITY, 0, node, (float)depth + g->usual[end - first]};
        return;
    }
    const int middle = part_rows(g, column, threshold, first, end), left = g->count;
    g->nodes[node] = (IsolationNode){threshold, column, left, 0.0f};
    g->count += 2;
    grow(g, left, first, middle, depth + 1);
    grow(g, left + 1, middle, end, depth + 1);
}

// count of 0 … rows − 1, each set with the same chance (Floyd; Bentley, Communications of the ACM 30, 1987). taken [rows]
// is all false, and is left so.
static void draw_rows(int *chosen, int count, int rows, bool *taken, Rng *rng)
{
    for (int i = 0; i < count; i++) {
        const int most = rows - count + i;
        int row = (int)rng_below(rng, (uint32_t)most + 1);
        if (taken[row]) row = most;
        taken[row] = true;
        chosen[i] = row;
    }
    for (int i = 0; i < count; i++) taken[chosen[i]] = false;
}

static bool finite_row(Matrix x, int i)
{
    const float *row = matrix_row(x, i);
    uint32_t bad = 0; // as many as are not finite: their exponents are all ones
    for (int j = 0; j < x.cols; j++) bad += (float_to_bits(row[j]) & 0x7f800000u) == 0x7f800000u;
    return bad == 0;
}

// A tree of its own rows, from a generator of its own. False when
// one of the rows is not finite.
static bool grow_tree(Matrix x, Rng rng, int sample, int limit, const float *usual, IsolationNode *nodes,
                      int root, int *rows, int *columns, bool *taken)
{
    Growing g = {.x = x,
                 .rng = rng,
                 .rows = rows,
                 .columns = columns,
                 .nodes = nodes,
                 .count = root + 1,
                 .limit = limit,
                 .usual = usual};
    draw_rows(rows, sample, x.rows, taken, &g.rng);
    for (int i = 0; i < sample; i++)
        if (!finite_row(x, rows[i])) return false;
    for (int j = 0; j < x.cols; j++) columns[j] = j;
    grow(&g, root, 0, sample, 0);
    return true;
}

static void check_fit(Place place, Matrix x, int trees, int sample)
{
    check_at(place, x.rows > 1 && x.cols > 0 && trees > 0 && sample > 1, "at least one tree of two rows",
             "isolation_forest_fit: %d trees of %d rows of x (%d × %d)", trees, sample, x.rows, x.cols);
    check_at(place, (long)trees * (2L * int_min(sample, x.rows) - 1) <= INT32_MAX,
             "ask for fewer or smaller trees",
             "isolation_forest_fit: %d trees of %d rows have too many nodes", trees, sample);
}

IsolationForest isolation_forest_fit_at(Place place, Arena *arena, Matrix x, int trees, int sample, Rng *rng)
{
    check_fit(place, x, trees, sample);
    sample = int_min(sample, x.rows);
    const int most = 2 * sample - 1, threads = parallel_threads();
    const size_t rows = (size_t)x.rows, cols = (size_t)x.cols, size = (size_t)sample;
    IsolationNode *nodes = arena_alloc_at(place, arena, (size_t)trees * (size_t)most, sizeof *nodes);
    int *roots = arena_alloc_at(place, arena, (size_t)trees, sizeof *roots);
    Arena *scratch = arena_new();
    float *usual = arena_alloc(scratch, size + 1, sizeof *usual);
    for (int n = 0; n <= sample; n++) usual[n] = (float)isolation_usual_length(n);
    int *chosen = arena_alloc(scratch, (size_t)threads * size, sizeof *chosen),
        *columns = arena_alloc(scratch, (size_t)threads * cols, sizeof *columns);
    bool *taken = arena_zeros(scratch, (size_t)threads * rows, sizeof *taken),
         *finite = arena_alloc(scratch, (size_t)trees, sizeof *finite);
    int depth = 0;
    while (1 << depth < sample) depth++;
    const Rng base = *rng;
    rng_next(rng); // another forest from the same generator is another one
#pragma omp parallel for schedule(dynamic)
    for (int t = 0; t < trees; t++) {
        const size_t own = (size_t)parallel_number();
        roots[t] = t * most;
        finite[t] = grow_tree(x, rng_stream(&base, (uint64_t)t), sample, depth, usual, nodes, roots[t],
                              chosen + own * size, columns + own * cols, taken + own * rows);
    }
    for (int t = 0; t < trees; t++)
        check_at(place, finite[t], "look for a gap in the data or a division by zero",
                 "isolation_forest_fit: x holds a NaN or an infinity");
    arena_free(scratch);
    return (IsolationForest){
        trees, sample, x.cols, depth, roots, nodes, (float)isolation_usual_length(sample)};
}

// totals [count] += the length of each row's path. The rows go down side by side, and each takes as many steps as the longest
// path has: a leaf leads to itself. No step depends on a guess, and none waits for another row's.
static void add_path_lengths(float *totals, const IsolationForest *forest, int root, Matrix x, int first,
                             int count)
{
    enum { SIDE_BY_SIDE = 8 };
    const IsolationNode *nodes = forest->nodes;
    for (int at = 0; at < count; at += SIDE_BY_SIDE) {
        const int together = int_min(SIDE_BY_SIDE, count - at);
        const float *rows[SIDE_BY_SIDE];
        int node[SIDE_BY_SIDE];
        for (int i = 0; i < SIDE_BY_SIDE; i++) {
            rows[i] = matrix_row(x, first + at + int_min(i, together - 1));
            node[i] = root;
        }
        for (int step = 0; step < forest->depth; step++)
            for (int i = 0; i < SIDE_BY_SIDE; i++) {
                const IsolationNode *here = nodes + node[i];
                node[i] = here->left + (rows[i][here->column] > here->threshold);
            }
        for (int i = 0; i < together; i++) totals[at + i] += nodes[node[i]].length;
    }
}

void isolation_forest_scores_at(Place place, float *scores, const IsolationForest *forest, Matrix x)
{
    enum { ROWS_AT_ONCE = 64 };
    check_at(place, x.cols == forest->columns, "score rows with the columns of isolation_forest_fit",
             "isolation_forest_scores: x (%d × %d), a forest for %d columns", x.rows, x.cols,
             forest->columns);
    const float ln2 = 0.693147181f, whole = (float)forest->trees * forest->usual_length;
    bool finite = true;
#pragma omp parallel for schedule(dynamic) reduction(&& : finite) if (parallel_worth(matrix_size(x)))
    for (int first = 0; first < x.rows; first += ROWS_AT_ONCE) {
        const int count = int_min(ROWS_AT_ONCE, x.rows - first);
        float totals[ROWS_AT_ONCE] = {0};
        for (int i = 0; i < count; i++) finite = finite && finite_row(x, first + i);
        for (int t = 0; t < forest->trees; t++)
            add_path_lengths(totals, forest, forest->roots[t], x, first, count);
        for (int i = 0; i < count; i++) scores[first + i] = exp32(-ln2 * totals[i] / whole);
    }
    check_at(place, finite, "look for a gap in the data or a division by zero",
             "isolation_forest_scores: x holds a NaN or an infinity");
}
