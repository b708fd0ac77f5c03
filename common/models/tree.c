// tree.c: decision trees from histograms. See tree.h.
#include "models/tree.h"
#include "base/mathf.h"
#include "base/parallel.h"

#include <stdlib.h>

// ---- Columns as bytes ---------------------------------------------------------------------------------------------------

enum {
    COLUMNS_AT_ONCE = 16, // a cache line of a row of x
    SLOTS = 1024,         // of a dictionary: a power of two, four times as many as numbers
    SLOT_BITS = 10,
};

// The different numbers of a column, at most TREE_BINS, in order of appearance; open addressing.
typedef struct {
    uint32_t keys[SLOTS];
    int16_t numbers[SLOTS]; // −1: an empty slot
    float values[TREE_BINS];
    int count;
} Dictionary;

// bins [rows] = the number under which each value stands in the dictionary; false when there are too many values.
static bool look_up(Dictionary *d, uint8_t *bins, const float *column, int rows)
{
    memset(d->numbers, -1, sizeof d->numbers);
    d->count = 0;
    for (int i = 0; i < rows; i++) {
        const uint32_t key = float_to_bits(column[i]);
        uint32_t slot = (key * 0x9e3779b1u) >> (32 - SLOT_BITS); // Knuth's multiplicative hashing
        while (d->numbers[slot] >= 0 && d->keys[slot] != key) slot = (slot + 1) % SLOTS;
        if (d->numbers[slot] < 0) {
            if (d->count == TREE_BINS) return false;
            d->keys[slot] = key;
            d->values[d->count] = column[i];
            d->numbers[slot] = (int16_t)d->count++;
        }
        bins[i] = (uint8_t)d->numbers[slot];
    }
    return true;
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// A bin for each of the dictionary's values, in ascending order. Returns how many.
static int one_bin_a_value(const Dictionary *d, uint8_t *bins, int rows, float *lowest, float *highest)
{
    uint8_t rank[TREE_BINS];
    memcpy(lowest, d->values, (size_t)d->count * sizeof *lowest);
    qsort(lowest, (size_t)d->count, sizeof *lowest, ascending);
    memcpy(highest, lowest, (size_t)d->count * sizeof *highest);
    for (int n = 0; n < d->count; n++) {
        const float *place = bsearch(&d->values[n], lowest, (size_t)d->count, sizeof *lowest, ascending);
        rank[n] = (uint8_t)(place - lowest);
    }
    for (int i = 0; i < rows; i++) bins[i] = rank[bins[i]];
    return d->count;
}

// The last bin that begins at or below a value.
static uint8_t bin_of(float value, const float *lowest, int count)
{
    int first = 0;
    while (count > 1) { // it is among count bins from first on
        const int half = count / 2;
        if (lowest[first + half] <= value)
            first += half, count -= half;
        else
            count = half;
    }
    return (uint8_t)first;
}

// About equally many rows in each bin, equal values in the same: TREE_BINS · (rows with a smaller value) / rows, and the numbers
// left out are closed up. sorted [rows] is for us to use.
static int bins_of_many_values(float *sorted, uint8_t *bins, const float *column, int rows, float *lowest,
                               float *highest)
{
    memcpy(sorted, column, (size_t)rows * sizeof *sorted);
    qsort(sorted, (size_t)rows, sizeof *sorted, ascending);
    int count = 0;
    int64_t last = -1;
    for (int i = 0; i < rows; i++) {
        const bool first = i == 0 || sorted[i] != sorted[i - 1];
        const int64_t part = (int64_t)TREE_BINS * i / rows;
        if (first && part != last) lowest[count++] = sorted[i], last = part;
        highest[count - 1] = sorted[i];
    }
    for (int i = 0; i < rows; i++) bins[i] = bin_of(column[i], lowest, count);
    return count;
}

// Some columns of x, each together: columns [count · rows]. −0 becomes 0. Returns whether all numbers are finite.
static bool copy_columns_together(float *columns, Matrix x, int first, int count)
{
    bool finite = true;
    for (int i = 0; i < x.rows; i++) {
        const float *row = matrix_row(x, i) + first;
        for (int j = 0; j < count; j++) {
            columns[(size_t)j * (size_t)x.rows + (size_t)i] = row[j] + 0.0f;
            finite &= row[j] - row[j] == 0.0f;
        }
    }
    return finite;
}

static noreturn void name_what_is_not_finite(Place place, Matrix x)
{
    size_t at = 0;
    while (x.data[at] - x.data[at] == 0.0f) at++;
    die_at(place, "a tree has no place for missing values: fill them in, or leave these rows out",
           "tree_table_new: row %zu, column %zu is %g", at / (size_t)x.cols, at % (size_t)x.cols,
           (double)x.data[at]);
}

// One group of columns; room [(COLUMNS_AT_ONCE + 1) · rows] is for us to use. Returns whether all numbers are finite.
static bool bin_columns(TreeTable *table, Matrix x, int first, float *room)
{
    const int count = int_min(COLUMNS_AT_ONCE, x.cols - first);
    const size_t rows = (size_t)x.rows;
    if (!copy_columns_together(room, x, first, count)) return false;
    for (int j = first; j < first + count; j++) {
        const float *column = room + (size_t)(j - first) * rows;
        float *lowest = table->lowest + (size_t)j * TREE_BINS,
              *highest = table->highest + (size_t)j * TREE_BINS;
        uint8_t *bins = table->bins + (size_t)j * rows;
        Dictionary dictionary;
        table->bin_counts[j] =
            look_up(&dictionary, bins, column, x.rows)
                ? one_bin_a_value(&dictionary, bins, x.rows, lowest, highest)
                : bins_of_many_values(room + COLUMNS_AT_ONCE * rows, bins, column, x.rows, lowest, highest);
    }
    return true;
}

TreeTable tree_table_new_at(Place place, Arena *arena, Matrix x)
{
    check_at(place, x.rows >= 1 && x.cols >= 1, "give it examples", "tree_table_new: x (%d × %d)", x.rows,
             x.cols);
    const size_t rows = (size_t)x.rows, cols = (size_t)x.cols;
    TreeTable table = {.rows = x.rows, .cols = x.cols};
    table.bins = arena_alloc_at(place, arena, size_product(place, rows, cols), 1);
    table.bin_counts = arena_alloc_at(place, arena, cols, sizeof *table.bin_counts);
    table.lowest = arena_zeros_at(place, arena, cols * TREE_BINS, sizeof *table.lowest);
    table.highest = arena_zeros_at(place, arena, cols * TREE_BINS, sizeof *table.highest);

    const int groups = (x.cols + COLUMNS_AT_ONCE - 1) / COLUMNS_AT_ONCE, threads = parallel_threads();
    const ArenaMark mark = arena_mark(arena);
    const size_t room = (COLUMNS_AT_ONCE + 1) * rows;
    float *rooms = arena_alloc_at(place, arena, size_product(place, (size_t)threads, room), sizeof *rooms);
    bool finite = true;
#pragma omp parallel for schedule(dynamic) reduction(&& : finite) if (parallel_worth(rows * cols))
    for (int g = 0; g < groups; g++)
        finite =
            finite && bin_columns(&table, x, g * COLUMNS_AT_ONCE, rooms + (size_t)parallel_number() * room);
    arena_rewind(arena, mark);
    if (!finite) name_what_is_not_finite(place, x);
    return table;
}

// ---- Growing ------------------------------------------------------------------------------------------------------------

typedef struct {
    double score;     // 0: there is none
    int feature, bin; // rows up to this bin go left
} Split;

// What is known of a node while the tree grows, beside what is kept of it.
typedef struct {
    int begin, end;   // its rows, in `order`
    uint32_t *counts; // [stride] of its classes
} Growing;

// How often each class occurs in each bin, for one node and one feature. All zeros between uses.
typedef struct {
    uint32_t *counts;             // [TREE_BINS · stride]
    uint32_t *left;               // [stride] rows of each class up to some bin
    uint64_t seen[TREE_BINS / 8]; // a byte for each bin: is a row in it?
} Histogram;

typedef struct {
    const TreeTable *table;
    TreeOptions options;
    int classes, stride; // stride: classes, rounded up to whole vectors of integers
    Rng *rng;
    int *order;      // [count] the rows, those of a node side by side
    uint8_t *labels; // [count] their classes, in the same order
    int *right_order;
    uint8_t *right_labels; // [count] while a node is split
    TreeNode *nodes;
    Growing *growing; // [capacity] of the nodes
    int count, capacity;
    int threads;
    Histogram *histograms; // [threads]
    Arena *arena;          // of all this; freed in the end
} Grower;

static void count_rows(const Grower *g, Histogram *h, const Growing *node, const uint8_t *column)
{
    uint8_t *seen = (uint8_t *)h->seen;
    const size_t stride = (size_t)g->stride;
    for (int i = node->begin; i < node->end; i++) {
        const uint8_t bin = column[g->order[i]];
        h->counts[bin * stride + g->labels[i]]++;
        seen[bin] = 1;
    }
}

// The counts of a bin move to the left. Returns how many rows these are.
static int move_left(uint32_t *left, uint32_t *counts, int stride)
{
    uint32_t moved = 0;
    for (int k = 0; k < stride; k++) {
        moved += counts[k];
        left[k] += counts[k];
        counts[k] = 0;
    }
    return (int)moved;
}

// Σ l_k² / l + Σ r_k² / r, with r_k = all_k − l_k. Squares of fewer than 2¹⁶ rows fit 32 bits, which is faster.
static double split_score(const uint32_t *left, const uint32_t *all, int stride, int left_rows,
                          int right_rows)
{
    uint64_t left_squares = 0, right_squares = 0;
    if (left_rows + right_rows < 1 << 16) {
        uint32_t l = 0, r = 0;
        for (int k = 0; k < stride; k++) {
            l += left[k] * left[k];
            r += (all[k] - left[k]) * (all[k] - left[k]);
        }
        left_squares = l, right_squares = r;
    } else {
        for (int k = 0; k < stride; k++) {
            const uint64_t l = left[k], r = all[k] - left[k];
            left_squares += l * l;
            right_squares += r * r;
        }
    }
    return (double)left_squares / left_rows + (double)right_squares / right_rows;
}

// Replaces *best where this feature has a better split of the node. Returns whether it has any that is allowed.
static bool find_split(const Grower *g, Histogram *h, int node, int feature, Split *best)
{
    const Growing *n = &g->growing[node];
    const int rows = n->end - n->begin, stride = g->stride;
    count_rows(g, h, n, g->table->bins + (size_t)feature * (size_t)g->table->rows);
    memset(h->left, 0, (size_t)stride * sizeof *h->left);
    bool found = false;
    for (int word = 0, left = 0; word < TREE_BINS / 8; word++) {
        if (!h->seen[word]) continue;
        for (int bin = 8 * word; bin < 8 * word + 8; bin++) {
            if (!((const uint8_t *)h->seen)[bin]) continue;
            left += move_left(h->left, h->counts + (size_t)bin * (size_t)stride, stride);
            if (left < g->options.min_leaf || rows - left < g->options.min_leaf) continue;
            const double score = split_score(h->left, n->counts, stride, left, rows - left);
            found = true;
            if (score > best->score || (score == best->score && feature < best->feature))
                *best = (Split){score, feature, bin};
        }
        h->seen[word] = 0;
    }
    return found;
}

static bool may_be_split(const Grower *g, int node)
{
    const TreeNode *n = &g->nodes[node];
    return n->gini > 0.0 && (!g->options.max_depth || n->depth < g->options.max_depth) &&
           n->rows / 2 >= g->options.min_leaf;
}

// Every feature at every one of these nodes: features are shared between threads, and each keeps a best split of its own.
static void search_all_features(const Grower *g, const int *open, int count, Split *splits)
{
    const ArenaMark mark = arena_mark(g->arena);
    Split *found =
        arena_zeros(g->arena, size_product(HERE, (size_t)g->threads, (size_t)count), sizeof *found);
    size_t rows = 0;
    for (int i = 0; i < count; i++) rows += (size_t)g->nodes[open[i]].rows;
#pragma omp parallel for schedule(dynamic, 4) if (parallel_worth(rows * (size_t)g->table->cols))
    for (int feature = 0; feature < g->table->cols; feature++) {
        const size_t thread = (size_t)parallel_number();
        for (int i = 0; i < count; i++)
            find_split(g, &g->histograms[thread], open[i], feature,
                       &found[thread * (size_t)count + (size_t)i]);
    }
    for (int i = 0; i < count; i++) {
        splits[i] = found[i];
        for (int thread = 1; thread < g->threads; thread++) {
            const Split *other = &found[(size_t)thread * (size_t)count + (size_t)i];
            if (other->score > splits[i].score ||
                (other->score == splits[i].score && other->feature < splits[i].feature))
                splits[i] = *other;
        }
    }
    arena_rewind(g->arena, mark);
}

// Some features at one node, and more of them while none can be split. features [cols] is for us to use.
static Split search_drawn_features(const Grower *g, Histogram *h, int node, int *features)
{
    Rng rng = rng_stream(g->rng, (uint64_t)node);
    const int cols = g->table->cols;
    Split best = {0};
    bool found = false;
    for (int j = 0; j < cols; j++) features[j] = j;
    for (int j = 0; j < cols && (j < g->options.features || !found); j++) {
        const int other = j + (int)rng_below(&rng, (uint32_t)(cols - j)), drawn = features[other];
        features[other] = features[j];
        features[j] = drawn;
        found = find_split(g, h, node, drawn, &best) || found;
    }
    return best;
}

static void search_some_features(const Grower *g, const int *open, int count, Split *splits)
{
    const ArenaMark mark = arena_mark(g->arena);
    const size_t cols = (size_t)g->table->cols;
    int *features = arena_alloc(g->arena, size_product(HERE, (size_t)g->threads, cols), sizeof *features);
    size_t rows = 0;
    for (int i = 0; i < count; i++) rows += (size_t)g->nodes[open[i]].rows;
#pragma omp parallel for schedule(dynamic) if (parallel_worth(rows * (size_t)g->options.features))
    for (int i = 0; i < count; i++) {
        const size_t thread = (size_t)parallel_number();
        splits[i] = search_drawn_features(g, &g->histograms[thread], open[i], features + thread * cols);
    }
    arena_rewind(g->arena, mark);
}

// A node with these rows, a leaf so far; its classes are counted.
static int add_node(Grower *g, int begin, int end, int depth)
{
    if (g->count == g->capacity) {
        const size_t more = (size_t)g->capacity * 2, old = (size_t)g->capacity;
        TreeNode *nodes = arena_alloc(g->arena, more, sizeof *nodes);
        Growing *growing = arena_alloc(g->arena, more, sizeof *growing);
        memcpy(nodes, g->nodes, old * sizeof *nodes);
        memcpy(growing, g->growing, old * sizeof *growing);
        g->nodes = nodes, g->growing = growing, g->capacity *= 2;
    }
    uint32_t *counts = arena_zeros(g->arena, (size_t)g->stride, sizeof *counts);
    for (int i = begin; i < end; i++) counts[g->labels[i]]++;
    double squares = 0.0;
    int label = 0;
    for (int k = 0; k < g->classes; k++) {
        squares += (double)counts[k] * (double)counts[k];
        if (counts[k] > counts[label]) label = k;
    }
    const double rows = end - begin;
    g->growing[g->count] = (Growing){begin, end, counts};
    g->nodes[g->count] = (TreeNode){.feature = -1,
                                    .left = -1,
                                    .right = -1,
                                    .label = label,
                                    .rows = end - begin,
                                    .depth = depth,
                                    .gini = 1.0 - squares / (rows * rows)};
    return g->count++;
}

// Brings the rows of the left child before those of the right one, each in the order they had, and adds the two.
static void split_node(Grower *g, int node, Split split)
{
    const Growing n = g->growing[node];
    const uint8_t *column = g->table->bins + (size_t)split.feature * (size_t)g->table->rows;
    int left = n.begin, right = 0, next_bin = TREE_BINS;
    for (int i = n.begin; i < n.end; i++) {
        const int row = g->order[i], bin = column[row];
        const uint8_t label = g->labels[i];
        if (bin <= split.bin) {
            g->order[left] = row, g->labels[left] = label;
            left++;
        } else {
            g->right_order[right] = row, g->right_labels[right] = label;
            right++;
            next_bin = int_min(next_bin, bin);
        }
    }
    memcpy(g->order + left, g->right_order, (size_t)right * sizeof *g->order);
    memcpy(g->labels + left, g->right_labels, (size_t)right);
    const int depth = g->nodes[node].depth + 1, left_child = add_node(g, n.begin, left, depth),
              right_child = add_node(g, left, n.end, depth);
    TreeNode *parent = &g->nodes[node];
    const size_t bins = (size_t)split.feature * TREE_BINS;
    parent->feature = split.feature;
    parent->threshold = tree_threshold(g->table->highest[bins + (size_t)split.bin],
                                       g->table->lowest[bins + (size_t)next_bin]);
    parent->left = left_child, parent->right = right_child;
}

// Level after level, until no node can be split.
static void grow(Grower *g)
{
    const bool all = !g->options.features || g->options.features >= g->table->cols;
    for (int first = 0, last; first < g->count; first = last) {
        last = g->count;
        const size_t nodes = (size_t)(last - first);
        int *open = arena_alloc(g->arena, nodes, sizeof *open), count = 0;
        Split *splits = arena_alloc(g->arena, nodes, sizeof *splits);
        for (int node = first; node < last; node++)
            if (may_be_split(g, node)) open[count++] = node;
        if (all)
            search_all_features(g, open, count, splits);
        else
            search_some_features(g, open, count, splits);
        for (int i = 0; i < count; i++)
            if (splits[i].score > 0.0) split_node(g, open[i], splits[i]);
    }
}

static Tree *finished_tree(Place place, Arena *arena, const Grower *g)
{
    const size_t nodes = (size_t)g->count, classes = (size_t)g->classes;
    Tree *tree = arena_zeros_at(place, arena, 1, sizeof *tree);
    *tree = (Tree){.features = g->table->cols, .classes = g->classes, .count = g->count};
    tree->nodes = arena_alloc_at(place, arena, nodes, sizeof *tree->nodes);
    tree->class_counts = arena_alloc_at(place, arena, nodes * classes, sizeof *tree->class_counts);
    memcpy(tree->nodes, g->nodes, nodes * sizeof *tree->nodes);
    for (size_t n = 0; n < nodes; n++) {
        for (size_t k = 0; k < classes; k++)
            tree->class_counts[n * classes + k] = (int)g->growing[n].counts[k];
        tree->leaves += g->nodes[n].feature < 0;
        tree->depth = int_max(tree->depth, g->nodes[n].depth);
    }
    return tree;
}

static void check_fit(Place place, const TreeTable *table, int classes, TreeOptions o, int count,
                      const Rng *rng)
{
    check_at(place, count >= 1, "give it examples", "tree_fit: %d rows", count);
    check_at(place, classes >= 1 && classes <= TREE_MOST_CLASSES, "classes are numbered from 0",
             "tree_fit: %d classes, 1 to %d are possible", classes, TREE_MOST_CLASSES);
    check_at(place, o.max_depth >= 0 && o.min_leaf >= 0 && o.features >= 0, "0 is no limit",
             "tree_fit: max_depth %d, min_leaf %d, features %d", o.max_depth, o.min_leaf, o.features);
    check_at(place, rng || !o.features || o.features >= table->cols, "hand it &rng",
             "tree_fit: %d of %d features are drawn for each split, without a generator", o.features,
             table->cols);
}

// The rows and their labels, in the order given.
static void take_rows(Place place, Grower *g, const int *labels, const int *rows, int count)
{
    for (int i = 0; i < count; i++) {
        const int row = rows ? rows[i] : i;
        check_at(place, row >= 0 && row < g->table->rows, "rows are numbered from 0",
                 "tree_fit: rows[%d] is %d, the table has %d", i, row, g->table->rows);
        check_at(place, labels[row] >= 0 && labels[row] < g->classes, "classes are numbered from 0",
                 "tree_fit: the label of row %d is %d, there are %d classes", row, labels[row], g->classes);
        g->order[i] = row;
        g->labels[i] = (uint8_t)labels[row];
    }
}

Tree *tree_fit_at(Place place, Arena *arena, const TreeTable *table, const int *labels, int classes,
                  TreeOptions options, const int *rows, int count, Rng *rng)
{
    enum { VECTOR = 8, FIRST_NODES = 64 };
    if (!rows) count = table->rows;
    check_fit(place, table, classes, options, count, rng);
    options.min_leaf = int_max(options.min_leaf, 1);
    Grower g = {.table = table, .options = options, .classes = classes, .rng = rng, .arena = arena_new()};
    g.stride = (classes + VECTOR - 1) / VECTOR * VECTOR;
    g.order = arena_alloc_at(place, g.arena, (size_t)count, sizeof *g.order);
    g.labels = arena_alloc_at(place, g.arena, (size_t)count, 1);
    g.right_order = arena_alloc_at(place, g.arena, (size_t)count, sizeof *g.right_order);
    g.right_labels = arena_alloc_at(place, g.arena, (size_t)count, 1);
    g.nodes = arena_alloc(g.arena, FIRST_NODES, sizeof *g.nodes);
    g.growing = arena_alloc(g.arena, FIRST_NODES, sizeof *g.growing);
    g.capacity = FIRST_NODES;
    g.threads = parallel_threads();
    g.histograms = arena_zeros(g.arena, (size_t)g.threads, sizeof *g.histograms);
    for (int thread = 0; thread < g.threads; thread++) {
        Histogram *h = &g.histograms[thread];
        h->counts = arena_zeros(g.arena, (size_t)TREE_BINS * (size_t)g.stride, sizeof *h->counts);
        h->left = arena_zeros(g.arena, (size_t)g.stride, sizeof *h->left);
    }
    take_rows(place, &g, labels, rows, count);
    add_node(&g, 0, count, 0);
    grow(&g);
    if (rng) rng_next(rng);
    Tree *tree = finished_tree(place, arena, &g);
    arena_free(g.arena);
    return tree;
}

// ---- Asking a tree ------------------------------------------------------------------------------------------------------

static int leaf_of(Place place, const Tree *tree, Matrix x, int row)
{
    const float *values = matrix_row(x, row);
    int node = 0;
    while (tree->nodes[node].feature >= 0) {
        const TreeNode *n = &tree->nodes[node];
        const float value = values[n->feature];
        check_at(place, value == value, "a tree has no place for missing values: fill them in",
                 "tree: row %d, column %d is NaN", row, n->feature);
        node = value <= n->threshold ? n->left : n->right;
    }
    return node;
}

void tree_leaves_at(Place place, int *leaves, const Tree *tree, Matrix x)
{
    check_at(place, x.cols == tree->features, "the columns of x are those that the tree was grown on",
             "tree: x (%d × %d), the tree knows %d features", x.rows, x.cols, tree->features);
#pragma omp parallel for if (parallel_worth((size_t)x.rows * (size_t)(tree->depth + 1)))
    for (int i = 0; i < x.rows; i++) leaves[i] = leaf_of(place, tree, x, i);
}

void tree_predict_at(Place place, int *out, const Tree *tree, Matrix x)
{
    tree_leaves_at(place, out, tree, x);
    for (int i = 0; i < x.rows; i++) out[i] = tree->nodes[out[i]].label;
}
