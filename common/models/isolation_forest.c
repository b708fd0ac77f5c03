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

static int grow(Growing *g, int first, int end, int depth)
{
    const int node = g->count++;
    float threshold = 0.0f;
    const int column = end - first > 1 && depth < g->limit ? draw_cut(g, first, end, &threshold) : -1;
    if (column < 0) {
        g->nodes[node] = (IsolationNode){(float)depth + g->usual[end - first], -1, -1, -1};
        return node;
    }
    const int middle = part_rows(g, column, threshold, first, end);
    const int left = grow(g, first, middle, depth + 1), right = grow(g, middle, end, depth + 1);
    g->nodes[node] = (IsolationNode){threshold, column, left, right};
    return node;
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
    float total = 0.0f; // stays 0 unless something is not finite
    for (int j = 0; j < x.cols; j++) total += 0.0f * row[j];
    return total == 0.0f;
}

// A tree of its own rows, from a generator of its own. False when
// one of the rows is not finite.
static bool grow_tree(Matrix x, Rng rng, int sample, const float *usual, IsolationNode *nodes, int root,
                      int *rows, int *columns, bool *taken)
{
    Growing g = {
        .x = x, .rng = rng, .rows = rows, .columns = columns, .nodes = nodes, .count = root, .usual = usual};
    while (1 << g.limit < sample) g.limit++;
    draw_rows(rows, sample, x.rows, taken, &g.rng);
    for (int i = 0; i < sample; i++)
        if (!finite_row(x, rows[i])) return false;
    for (int j = 0; j < x.cols; j++) columns[j] = j;
    grow(&g, 0, sample, 0);
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
    const Rng base = *rng;
    rng_next(rng); // another forest from the same generator is another one
#pragma omp parallel for schedule(dynamic)
    for (int t = 0; t < trees; t++) {
        const size_t own = (size_t)parallel_number();
        roots[t] = t * most;
        finite[t] = grow_tree(x, rng_stream(&base, (uint64_t)t), sample, usual, nodes, roots[t],
                              chosen + own * size, columns + own * cols, taken + own * rows);
    }
    for (int t = 0; t < trees; t++)
        check_at(place, finite[t], "look for a gap in the data or a division by zero",
                 "isolation_forest_fit: x holds a NaN or an infinity");
    arena_free(scratch);
    return (IsolationForest){trees, sample, x.cols, roots, nodes, (float)isolation_usual_length(sample)};
}

static float path_length(const IsolationForest *forest, int root, const float *row)
{
    const IsolationNode *node = forest->nodes + root;
    while (node->column >= 0)
        node = forest->nodes + (row[node->column] <= node->threshold ? node->left : node->right);
    return node->threshold;
}

void isolation_forest_scores_at(Place place, float *scores, const IsolationForest *forest, Matrix x)
{
    check_at(place, x.cols == forest->columns, "score rows with the columns of isolation_forest_fit",
             "isolation_forest_scores: x (%d × %d), a forest for %d columns", x.rows, x.cols,
             forest->columns);
    bool finite = true;
#pragma omp parallel for reduction(&& : finite) if (parallel_worth(matrix_size(x)))
    for (int i = 0; i < x.rows; i++) {
        float total = 0.0f;
        for (int t = 0; t < forest->trees; t++)
            total += path_length(forest, forest->roots[t], matrix_row(x, i));
        const float ln2 = 0.693147181f;
        scores[i] = exp32(-ln2 * total / ((float)forest->trees * forest->usual_length));
        finite = finite && finite_row(x, i);
    }
    check_at(place, finite, "look for a gap in the data or a division by zero",
             "isolation_forest_scores: x holds a NaN or an infinity");
}
