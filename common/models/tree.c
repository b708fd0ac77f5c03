// tree.c: decision trees from histograms. See tree.h.
#include "models/tree.h"
#include "base/mathf.h"
#include "base/parallel.h"

#include <stdlib.h>

// ---- Columns as bytes ---------------------------------------------------------------------------------------------------

enum {
    COLUMNS_AT_ONCE = 16, // a cache line of a row of x, and whole groups
    SLOTS = 512,          // of a dictionary: a power of two, twice as many as numbers
    SLOT_BITS = 9,
};

// The different values of a column, in order of appearance; open addressing.
typedef struct {
    struct {
        uint32_t key;   // the bits of a value
        int32_t number; // −1: an empty slot
    } slots[SLOTS];
    float values[TREE_BINS];
    int count;
    bool full; // there are more than TREE_BINS
} Dictionary;

static void dictionary_clear(Dictionary *d)
{
    memset(d->slots, -1, sizeof d->slots);
    d->count = 0;
    d->full = false;
}

// The number under which a value stands, now or before; 0 once the dictionary is full.
static inline uint8_t number_of(Dictionary *d, float value)
{
    const uint32_t key = float_to_bits(value);
    uint32_t slot = (key * 0x9e3779b1u) >> (32 - SLOT_BITS); // Knuth's multiplicative hashing
    while (d->slots[slot].number >= 0 && d->slots[slot].key != key) slot = (slot + 1) % SLOTS;
    if (d->slots[slot].number < 0) {
        if (d->full || d->count == TREE_BINS) {
            d->full = true;
            return 0;
        }
        d->slots[slot].key = key;
        d->slots[slot].number = d->count;
        d->values[d->count++] = value;
    }
    return (uint8_t)d->slots[slot].number;
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Brings the values of a dictionary in ascending order: rank [count] of each number. lowest and highest receive the values.
static int sort_values(const Dictionary *d, uint8_t *rank, float *lowest, float *highest)
{
    const size_t count = (size_t)d->count;
    memcpy(lowest, d->values, count * sizeof *lowest);
    qsort(lowest, count, sizeof *lowest, ascending);
    memcpy(highest, lowest, count * sizeof *highest);
    for (size_t n = 0; n < count; n++) {
        const float *place = bsearch(&d->values[n], lowest, count, sizeof *lowest, ascending);
        rank[n] = (uint8_t)(place - lowest);
    }
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

// A column of more values than bins: about equally many rows in each, equal values in the same: TREE_BINS · (rows with a smaller
// value) / rows, and the numbers left out are closed up. sorted [rows] is for us to use.
static int bin_many_values(const TreeTable *table, Matrix x, int column, float *sorted)
{
    float *lowest = table->lowest + (size_t)column * TREE_BINS,
          *highest = table->highest + (size_t)column * TREE_BINS;
    int count = 0;
    int64_t last = -1;
    for (int i = 0; i < x.rows; i++) sorted[i] = AT(x, i, column);
    qsort(sorted, (size_t)x.rows, sizeof *sorted, ascending);
    for (int i = 0; i < x.rows; i++) {
        const bool first = i == 0 || sorted[i] != sorted[i - 1];
        const int64_t part = (int64_t)TREE_BINS * i / x.rows;
        if (first && part != last) lowest[count++] = sorted[i], last = part;
        highest[count - 1] = sorted[i];
    }
    uint8_t *bins = table->bins + (tree_bin(table, 0, column) - table->bins);
    for (int i = 0; i < x.rows; i++) bins[(size_t)i * TREE_GROUP] = bin_of(AT(x, i, column), lowest, count);
    return count;
}

// The numbers of some columns, whole groups but for the last, as they stand in their dictionaries [COLUMNS_AT_ONCE]. Returns
// whether all are finite. −0 is 0.
static bool look_up_columns(const TreeTable *table, Matrix x, int first, int count, Dictionary *dictionaries)
{
    const size_t group_step = (size_t)x.rows * TREE_GROUP;
    uint8_t *bins = table->bins + (size_t)first * (size_t)x.rows;
    uint32_t largest_size = 0;
    for (int j = 0; j < count; j++) dictionary_clear(&dictionaries[j]);
    for (int i = 0; i < x.rows; i++) {
        const float *row = matrix_row(x, i) + first;
        uint8_t *to = bins + (size_t)i * TREE_GROUP;
        __builtin_prefetch(
            (const void *)((uintptr_t)row + 16 * (size_t)x.cols * sizeof *row)); // may lie past the end
        for (int j = 0; j < count; j++) {
            const float value = row[j] + 0.0f;
            const uint32_t size = float_to_bits(value) << 1; // without the sign
            largest_size = size > largest_size ? size : largest_size;
            to[(size_t)(j / TREE_GROUP) * group_step + (size_t)(j % TREE_GROUP)] =
                number_of(&dictionaries[j], value);
        }
    }
    return largest_size < 0xff000000u;
}

// Returns whether all numbers of these columns are finite. sorted [rows] is for us to use.
static bool bin_columns(TreeTable *table, Matrix x, int first, Dictionary *dictionaries, float *sorted)
{
    const int count = int_min(COLUMNS_AT_ONCE, x.cols - first);
    if (!look_up_columns(table, x, first, count, dictionaries)) return false;
    uint8_t ranks[COLUMNS_AT_ONCE][TREE_BINS] = {{0}};
    for (int j = 0; j < count; j++) {
        const size_t at = (size_t)(first + j) * TREE_BINS;
        table->bin_counts[first + j] =
            sort_values(&dictionaries[j], ranks[j], table->lowest + at, table->highest + at);
    }
    const size_t group_step = (size_t)x.rows * TREE_GROUP;
    for (int j = 0; j < count; j += TREE_GROUP) {
        uint8_t *bins = table->bins + (size_t)(first + j) * (size_t)x.rows;
        for (size_t i = 0; i < group_step; i += TREE_GROUP)
            for (size_t f = 0; f < TREE_GROUP; f++) bins[i + f] = ranks[(size_t)j + f][bins[i + f]];
    }
    for (int j = 0; j < count; j++)
        if (dictionaries[j].full) table->bin_counts[first + j] = bin_many_values(table, x, first + j, sorted);
    return true;
}

static noreturn void name_what_is_not_finite(Place place, Matrix x)
{
    size_t at = 0;
    while (x.data[at] - x.data[at] == 0.0f) at++;
    die_at(place, "a tree has no place for missing values: fill them in, or leave these rows out",
           "tree_table_new: row %zu, column %zu is %g", at / (size_t)x.cols, at % (size_t)x.cols,
           (double)x.data[at]);
}

TreeTable tree_table_new_at(Place place, Arena *arena, Matrix x)
{
    check_at(place, x.rows >= 1 && x.cols >= 1, "give it examples", "tree_table_new: x (%d × %d)", x.rows,
             x.cols);
    const size_t rows = (size_t)x.rows, cols = (size_t)x.cols;
    TreeTable table = {.rows = x.rows, .cols = x.cols};
    const size_t padded = (cols + TREE_GROUP - 1) / TREE_GROUP * TREE_GROUP;
    table.bins = arena_alloc_at(place, arena, size_product(place, rows, padded), 1);
    table.bin_counts = arena_alloc_at(place, arena, cols, sizeof *table.bin_counts);
    table.lowest = arena_zeros_at(place, arena, cols * TREE_BINS, sizeof *table.lowest);
    table.highest = arena_zeros_at(place, arena, cols * TREE_BINS, sizeof *table.highest);

    const size_t threads = (size_t)parallel_threads();
    const ArenaMark mark = arena_mark(arena);
    Dictionary *dictionaries = arena_alloc_at(place, arena, threads * COLUMNS_AT_ONCE, sizeof *dictionaries);
    float *sorted = arena_alloc_at(place, arena, size_product(place, threads, rows), sizeof *sorted);
    bool finite = true;
#pragma omp parallel for schedule(dynamic) reduction(&& : finite) if (parallel_worth(rows * cols))
    for (int first = 0; first < x.cols; first += COLUMNS_AT_ONCE) {
        const size_t t = (size_t)parallel_number();
        finite =
            bin_columns(&table, x, first, dictionaries + t * COLUMNS_AT_ONCE, sorted + t * rows) && finite;
    }
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
    int begin, end;    // its rows, in `order`
    uint32_t *counts;  // [stride] of its classes, N_k
    uint64_t *weights; // [stride] N_k in the upper half and 1 in the lower
    uint64_t squares;  // Σ N_k²
} Growing;

enum {
    CLASSES = 16,        // a vector of counts
    SCORES = 8,          // a vector of scores
    SUMS_FROM = 1 << 12, // so many rows are summed in the end
    FEW_ROWS = 1 << 16,  // fewer than this: counts fit 16 bits, and sums of squares 32
    // From a feature to the next. The bins of several are in use at once: they must not compete for the same places of the cache
    SUMS_STEP = TREE_BINS + 8,
    COUNTS_GAP = 32,
};

// Counts of sixteen classes in one variable, which stays in a register.
typedef uint16_t ShortCounts __attribute__((vector_size(CLASSES * sizeof(uint16_t))));
typedef uint32_t Counts __attribute__((vector_size(CLASSES * sizeof(uint32_t))));
typedef uint32_t HalfCounts __attribute__((vector_size(CLASSES / 2 * sizeof(uint32_t))));
typedef uint32_t QuarterCounts __attribute__((vector_size(CLASSES / 4 * sizeof(uint32_t))));

// What is counted of the rows of one node, for a group of features. All zeros between uses.
typedef struct {
    uint16_t *counts; // [TREE_GROUP · counts_step] how often each class occurs in each bin
    uint64_t *sums;   // [TREE_GROUP · SUMS_STEP] the weights of the rows in each bin, summed
    uint32_t *left;   // [stride] rows of each class up to some bin
    uint32_t *many;   // [TREE_BINS · stride] counts of FEW_ROWS and more; NULL where the tree has fewer
    // The places where one feature may split the node: rows up to it, Σ l_k², Σ r_k² and the score; whole vectors long
    int bins[TREE_BINS];
    double left_rows[TREE_BINS + SCORES], left_squares[TREE_BINS + SCORES], right_squares[TREE_BINS + SCORES];
    double scores[TREE_BINS + SCORES];
} Histogram;

typedef struct {
    const TreeTable *table;
    TreeOptions options;
    int classes, stride; // stride: classes, rounded up to whole vectors of counts
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

// Counts the rows of a node for some features side by side, 1 or a whole group: bins stands at the first of them. Features
// take turns, so that no count waits for the one before it. Inlined, so that the last three are known.
static inline __attribute__((always_inline)) void count_inlined(const Grower *g, Histogram *h,
                                                                const Growing *node, const uint8_t *bins,
                                                                size_t stride, int features, bool with_sums)
{
    const int *order = g->order + node->begin;
    const uint8_t *labels = g->labels + node->begin;
    const uint64_t *weights = node->weights;
    const int rows = node->end - node->begin;
    const size_t counts_step = stride * TREE_BINS + COUNTS_GAP;
    uint16_t *counts = h->counts;
    uint64_t *sums = h->sums;
    for (int i = 0; i < rows; i++) {
        const uint8_t *row = bins + (size_t)order[i] * TREE_GROUP;
        const size_t label = labels[i];
        const uint64_t weight = weights[label];
        for (int f = 0; f < features; f++) {
            const size_t bin = row[f];
            counts[(size_t)f * counts_step + bin * stride + label]++;
            if (with_sums) sums[(size_t)f * SUMS_STEP + bin] += weight;
        }
    }
}

static void count_rows(const Grower *g, Histogram *h, const Growing *node, const uint8_t *bins, int features,
                       bool with_sums)
{
    const size_t stride = (size_t)g->stride;
    if (features == 1)
        count_inlined(g, h, node, bins, stride, 1, true);
    else if (stride > CLASSES && with_sums)
        count_inlined(g, h, node, bins, stride, TREE_GROUP, true);
    else if (stride > CLASSES)
        count_inlined(g, h, node, bins, stride, TREE_GROUP, false);
    else if (with_sums)
        count_inlined(g, h, node, bins, CLASSES, TREE_GROUP, true);
    else
        count_inlined(g, h, node, bins, CLASSES, TREE_GROUP, false);
}

// The sums of one feature from its counts: for nodes of many rows this is less than adding for each.
static void sum_bins(const Grower *g, Histogram *h, const Growing *node, int feature, int bins)
{
    const size_t stride = (size_t)g->stride;
    const uint16_t *counts = h->counts + (size_t)feature * (stride * TREE_BINS + COUNTS_GAP);
    uint64_t *sums = h->sums + (size_t)feature * SUMS_STEP;
    for (int bin = 0; bin < bins; bin++, counts += stride) {
        uint64_t total = 0;
        for (size_t k = 0; k < stride; k++) total += counts[k] * node->weights[k];
        sums[bin] = total;
    }
}

static inline uint32_t sum_of_counts(const Counts *counts)
{
    const Counts c = *counts;
    const HalfCounts eight = __builtin_shufflevector(c, c, 0, 1, 2, 3, 4, 5, 6, 7) +
                             __builtin_shufflevector(c, c, 8, 9, 10, 11, 12, 13, 14, 15);
    const QuarterCounts four =
        __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    const QuarterCounts two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1);
    return two[0] + two[1];
}

// The counts of one bin move to the left, and are cleared. Returns Σ l_k².
static inline uint32_t move_left(uint32_t *left, uint16_t *counts, int stride)
{
    uint32_t squares = 0;
    for (int k = 0; k < stride; k += CLASSES) {
        const ShortCounts none = {0};
        ShortCounts moved;
        Counts l;
        memcpy(&moved, counts + k, sizeof moved);
        memcpy(&l, left + k, sizeof l);
        l += __builtin_convertvector(moved, Counts);
        memcpy(left + k, &l, sizeof l);
        l *= l;
        squares += sum_of_counts(&l);
        memcpy(counts + k, &none, sizeof none);
    }
    return squares;
}

// Where a feature (its number in the group) may split the node. Returns how many places these are; clears what was
// counted of it. With r_k = N_k − l_k: Σ r_k² = Σ N_k² − 2 Σ N_k l_k + Σ l_k².
static int find_places(const Grower *g, Histogram *h, const Growing *n, int feature, int bins)
{
    const int rows = n->end - n->begin;
    const size_t stride = (size_t)g->stride;
    uint64_t *sums = h->sums + (size_t)feature * SUMS_STEP, total = 0;
    uint16_t *counts = h->counts + (size_t)feature * (stride * TREE_BINS + COUNTS_GAP);
    int places = 0;
    memset(h->left, 0, (size_t)g->stride * sizeof *h->left);
    for (int first = 0; first < bins; first += 8) {
        uint64_t any = 0;
        for (int bin = first; bin < first + 8; bin++) any |= sums[bin];
        if (!any) continue;
        for (int bin = first; bin < first + 8; bin++) {
            if (!sums[bin]) continue;
            total += sums[bin];
            sums[bin] = 0;
            const uint64_t squares = move_left(h->left, counts + (size_t)bin * stride, g->stride);
            const int left = (int)(uint32_t)total;
            if (left < g->options.min_leaf || rows - left < g->options.min_leaf) continue;
            h->bins[places] = bin;
            h->left_rows[places] = left;
            h->left_squares[places] = (double)squares;
            h->right_squares[places++] = (double)(n->squares + squares - 2 * (total >> 32));
        }
    }
    return places;
}

// The same, counted in a plain way: for so many rows that 16 and 32 bits do not hold what is counted.
static int find_places_of_many(const Grower *g, Histogram *h, const Growing *n, const uint8_t *bins)
{
    const size_t stride = (size_t)g->stride;
    uint32_t *counts = h->many;
    int places = 0, left = 0;
    memset(counts, 0, TREE_BINS * stride * sizeof *counts);
    for (int i = n->begin; i < n->end; i++)
        counts[bins[(size_t)g->order[i] * TREE_GROUP] * stride + g->labels[i]]++;
    memset(h->left, 0, stride * sizeof *h->left);
    for (int bin = 0; bin < TREE_BINS; bin++) {
        uint64_t left_squares = 0, right_squares = 0;
        int moved = 0;
        for (size_t k = 0; k < stride; k++) {
            moved += (int)counts[(size_t)bin * stride + k];
            h->left[k] += counts[(size_t)bin * stride + k];
            const uint64_t l = h->left[k], r = n->counts[k] - h->left[k];
            left_squares += l * l;
            right_squares += r * r;
        }
        left += moved;
        if (!moved || left < g->options.min_leaf || n->end - n->begin - left < g->options.min_leaf) continue;
        h->bins[places] = bin;
        h->left_rows[places] = left;
        h->left_squares[places] = (double)left_squares;
        h->right_squares[places++] = (double)right_squares;
    }
    return places;
}

// Replaces *best where one of these places is a better split.
static void choose_place(Histogram *h, int places, double rows, int feature, Split *best)
{
    const int padded = (places + SCORES - 1) / SCORES * SCORES;
    double lane[SCORES] = {0.0}, most = 0.0, *restrict scores = h->scores;
    const double *left = h->left_rows, *left_squares = h->left_squares, *right_squares = h->right_squares;
    for (int i = places; i < padded; i++)
        h->left_rows[i] = 0.5, h->left_squares[i] = h->right_squares[i] = 0.0;
    for (int i = 0; i < padded; i++)
        scores[i] = left_squares[i] / left[i] + right_squares[i] / (rows - left[i]);
    for (int i = 0; i < padded; i += SCORES)
        for (int l = 0; l < SCORES; l++) lane[l] = scores[i + l] > lane[l] ? scores[i + l] : lane[l];
    for (int l = 0; l < SCORES; l++) most = lane[l] > most ? lane[l] : most;
    if (most < best->score || (most == best->score && feature > best->feature)) return;
    int i = 0;
    while (scores[i] != most) i++;
    *best = (Split){most, feature, h->bins[i]};
}

// Looks at one feature, or at a whole group whose first it is. Returns whether any of them can split the node.
static bool find_split(const Grower *g, Histogram *h, int node, int first, int count, Split *best)
{
    const Growing *n = &g->growing[node];
    const int rows = n->end - n->begin;
    const uint8_t *bins = tree_bin(g->table, 0, first);
    const bool many = rows >= FEW_ROWS, sums_later = rows >= SUMS_FROM && count > 1;
    bool found = false;
    if (!many) count_rows(g, h, n, bins, count, !sums_later);
    for (int f = 0; f < count; f++) {
        const int bin_count = g->table->bin_counts[first + f];
        if (!many && sums_later) sum_bins(g, h, n, f, bin_count);
        const int places = many ? find_places_of_many(g, h, n, bins + f) : find_places(g, h, n, f, bin_count);
        if (places) choose_place(h, places, rows, first + f, best);
        found = found || places;
    }
    return found;
}

// A group of features, or the last ones, which do not fill it.
static void find_splits(const Grower *g, Histogram *h, int node, int first, Split *best)
{
    const int cols = g->table->cols;
    if (first + TREE_GROUP <= cols) find_split(g, h, node, first, TREE_GROUP, best);
    for (int f = first; f < cols && first + TREE_GROUP > cols; f++) find_split(g, h, node, f, 1, best);
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
#pragma omp parallel for schedule(dynamic) if (parallel_worth(rows * (size_t)g->table->cols))
    for (int first = 0; first < g->table->cols; first += TREE_GROUP) {
        const size_t thread = (size_t)parallel_number();
        for (int i = 0; i < count; i++)
            find_splits(g, &g->histograms[thread], open[i], first,
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
        found = find_split(g, h, node, drawn, 1, &best) || found;
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
    uint64_t *weights = arena_zeros(g->arena, (size_t)g->stride, sizeof *weights), squares = 0;
    for (int i = begin; i < end; i++) counts[g->labels[i]]++;
    int label = 0;
    for (int k = 0; k < g->classes; k++) {
        weights[k] = (uint64_t)counts[k] << 32 | 1;
        squares += (uint64_t)counts[k] * counts[k];
        if (counts[k] > counts[label]) label = k;
    }
    const double rows = end - begin;
    g->growing[g->count] = (Growing){begin, end, counts, weights, squares};
    g->nodes[g->count] = (TreeNode){.feature = -1,
                                    .left = -1,
                                    .right = -1,
                                    .label = label,
                                    .rows = end - begin,
                                    .depth = depth,
                                    .gini = 1.0 - (double)squares / (rows * rows)};
    return g->count++;
}

// Brings the rows of the left child before those of the right one, each in the order they had, and adds the two.
static void split_node(Grower *g, int node, Split split)
{
    const Growing n = g->growing[node];
    const uint8_t *column = tree_bin(g->table, 0, split.feature);
    int left = n.begin, right = 0, next_bin = TREE_BINS;
    for (int i = n.begin; i < n.end; i++) {
        const int row = g->order[i], bin = column[(size_t)row * TREE_GROUP];
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
    enum { FIRST_NODES = 64 };
    if (!rows) count = table->rows;
    check_fit(place, table, classes, options, count, rng);
    options.min_leaf = int_max(options.min_leaf, 1);
    Grower g = {.table = table, .options = options, .classes = classes, .rng = rng, .arena = arena_new()};
    g.stride = (classes + CLASSES - 1) / CLASSES * CLASSES;
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
        const size_t stride = (size_t)g.stride;
        h->counts = arena_zeros(g.arena, TREE_GROUP * (stride * TREE_BINS + COUNTS_GAP), sizeof *h->counts);
        h->sums = arena_zeros(g.arena, (size_t)TREE_GROUP * SUMS_STEP, sizeof *h->sums);
        if (count >= FEW_ROWS) h->many = arena_alloc(g.arena, TREE_BINS * stride, sizeof *h->many);
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
    PARALLEL_FOR(parallel_worth((size_t)x.rows * (size_t)(tree->depth + 1)), i, x.rows,
                 leaves[i] = leaf_of(place, tree, x, i));
}

void tree_predict_at(Place place, int *out, const Tree *tree, Matrix x)
{
    tree_leaves_at(place, out, tree, x);
    for (int i = 0; i < x.rows; i++) out[i] = tree->nodes[out[i]].label;
}
