// test_tree.c: decision trees from histograms.
#include "models/tree.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>

// ---- A tree as the book has it: sort the rows, try every place between two values -----------------------------------------

typedef struct {
    Matrix x;
    const int *labels;
    int classes;
    TreeOptions options;
} Naive;

// Σ count² / rows
static double purity(const int *counts, int classes, int rows)
{
    double squares = 0.0;
    for (int k = 0; k < classes; k++) squares += (double)counts[k] * (double)counts[k];
    return squares / rows;
}

static Matrix sorted_by;
static int sorted_feature;
static int by_value(const void *a, const void *b)
{
    const float x = AT(sorted_by, *(const int *)a, sorted_feature),
                y = AT(sorted_by, *(const int *)b, sorted_feature);
    return (x > y) - (x < y);
}

static bool naive_split(const Naive *n, int *rows, int count, const int *all, int *feature, float *threshold)
{
    const int most = n->options.min_leaf > 1 ? n->options.min_leaf : 1;
    double best = 0.0;
    for (int j = 0; j < n->x.cols; j++) {
        int left[16] = {0}, right[16];
        memcpy(right, all, sizeof right);
        sorted_by = n->x, sorted_feature = j;
        qsort(rows, (size_t)count, sizeof *rows, by_value);
        for (int i = 0; i + 1 < count; i++) {
            left[n->labels[rows[i]]]++, right[n->labels[rows[i]]]--;
            const float low = AT(n->x, rows[i], j), high = AT(n->x, rows[i + 1], j);
            if (low == high || i + 1 < most || count - i - 1 < most) continue;
            const double score = purity(left, n->classes, i + 1) + purity(right, n->classes, count - i - 1);
            if (score <= best) continue;
            best = score, *feature = j, *threshold = 0.5f * low + 0.5f * high;
        }
    }
    return best > 0.0;
}

static void expect_same(const Naive *n, const Tree *tree, int node, int *rows, int count, int depth)
{
    const TreeNode *got = &tree->nodes[node];
    int counts[16] = {0}, label = 0, kinds = 0, feature = -1;
    for (int i = 0; i < count; i++) counts[n->labels[rows[i]]]++;
    for (int k = 0; k < n->classes; k++) {
        if (counts[k] > counts[label]) label = k;
        kinds += counts[k] > 0;
        ck_assert_int_eq(tree->class_counts[node * n->classes + k], counts[k]);
    }
    ck_assert_msg(got->label == label && got->rows == count && got->depth == depth,
                  "node %d: label %d, %d rows, depth %d; expected %d, %d, %d", node, got->label, got->rows,
                  got->depth, label, count, depth);
    ck_assert_double_eq_tol(got->gini, 1.0 - purity(counts, n->classes, count) / count, 1e-12);
    float threshold = 0.0f;
    const bool limit = n->options.max_depth && depth >= n->options.max_depth;
    if (kinds < 2 || limit || !naive_split(n, rows, count, counts, &feature, &threshold)) feature = -1;
    ck_assert_msg(got->feature == feature && (feature < 0 || got->threshold == threshold),
                  "node %d: feature %d ≤ %.9g, expected %d ≤ %.9g", node, got->feature,
                  (double)got->threshold, feature, (double)threshold);
    if (feature < 0) return;
    int *sides = malloc((size_t)count * sizeof *sides), left = 0, right = count;
    for (int i = 0; i < count; i++) {
        if (AT(n->x, rows[i], feature) <= threshold)
            sides[left++] = rows[i];
        else
            sides[--right] = rows[i];
    }
    ck_assert(got->left > node && got->right == got->left + 1);
    expect_same(n, tree, got->left, sides, left, depth + 1);
    expect_same(n, tree, got->right, sides + right, count - right, depth + 1);
    free(sides);
}

static void compare(const Naive *n, const int *rows, int count)
{
    Arena *arena = arena_new();
    TreeTable table = tree_table_new(arena, n->x);
    Tree *tree = tree_fit(arena, &table, n->labels, n->classes, n->options, rows, count, NULL);
    if (!rows) count = n->x.rows;
    int *own = arena_alloc(arena, (size_t)count, sizeof *own);
    for (int i = 0; i < count; i++) own[i] = rows ? rows[i] : i;
    expect_same(n, tree, 0, own, count, 0);
    int leaves = 0, depth = 0;
    for (int i = 0; i < tree->count; i++) {
        leaves += tree->nodes[i].feature < 0;
        if (tree->nodes[i].depth > depth) depth = tree->nodes[i].depth;
    }
    ck_assert(tree->leaves == leaves && tree->depth == depth && tree->count == 2 * leaves - 1);
    arena_free(arena);
}

// A random table of few whole numbers, so that many scores and values are equal, and labels that depend on it a little.
static Naive random_table(Arena *arena, Rng *rng)
{
    const int rows = 1 + (int)rng_below(rng, 120), cols = 1 + (int)rng_below(rng, 6),
              values = 1 + (int)rng_below(rng, 9), classes = 1 + (int)rng_below(rng, 12);
    Naive n = {.x = matrix_new(arena, rows, cols), .classes = classes};
    int *labels = arena_alloc(arena, (size_t)rows, sizeof *labels);
    for (size_t i = 0; i < matrix_size(n.x); i++)
        n.x.data[i] = (float)((int)rng_below(rng, (uint32_t)values) - values / 2) * 0.3f;
    for (int i = 0; i < rows; i++)
        labels[i] = rng_below(rng, 3) ? (int)fabsf(AT(n.x, i, 0) * 7.0f) % classes
                                      : (int)rng_below(rng, (uint32_t)classes);
    n.labels = labels;
    return n;
}

START_TEST(trees_from_histograms_equal_trees_from_sorted_rows)
{
    Rng rng = rng_new(1984, 3);
    for (int trial = 0; trial < 400; trial++) {
        Arena *arena = arena_new();
        Naive n = random_table(arena, &rng);
        n.options.max_depth = (int)rng_below(&rng, 5);
        n.options.min_leaf = (int)rng_below(&rng, 6);
        int rows[200];
        const int count = 1 + (int)rng_below(&rng, 200);
        for (int i = 0; i < count; i++) rows[i] = (int)rng_below(&rng, (uint32_t)n.x.rows);
        compare(&n, NULL, 0);
        compare(&n, rows, count);
        arena_free(arena);
    }
}
END_TEST

// Columns of up to 256 different numbers keep them all, whatever their sizes.
START_TEST(two_hundred_and_fifty_six_values_are_kept)
{
    enum { ROWS = 3000 };
    Rng rng = rng_new(256, 1);
    Arena *arena = arena_new();
    float values[256];
    for (int i = 0; i < 256; i++)
        values[i] = rng_normal(&rng) * (i % 4 == 0 ? 1e-30f : i % 4 == 1 ? 1e30f : 1.0f);
    values[0] = 0.0f, values[1] = -0.0f, values[2] = 1e-45f, values[3] = -3.4e38f, values[4] = 3.4e38f;
    Naive n = {.x = matrix_new(arena, ROWS, 5), .classes = 3, .options = {.max_depth = 8}};
    int *labels = arena_alloc(arena, ROWS, sizeof *labels);
    for (size_t i = 0; i < matrix_size(n.x); i++) n.x.data[i] = values[rng_below(&rng, 256)];
    for (int i = 0; i < ROWS; i++) labels[i] = (int)rng_below(&rng, 3);
    n.labels = labels;
    compare(&n, NULL, 0);
    TreeTable table = tree_table_new(arena, n.x);
    ck_assert_int_eq(table.bin_counts[0], 255); // 0 and −0 are equal
    arena_free(arena);
}
END_TEST

// More values than bins: about as many rows in each, equal values together, all in order.
START_TEST(columns_of_many_values_are_cut_into_bins_of_equal_size)
{
    enum { ROWS = 20000 };
    Rng rng = rng_new(9, 9);
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, ROWS, 2);
    for (int i = 0; i < ROWS; i++) {
        AT(x, i, 0) = rng_normal(&rng);
        AT(x, i, 1) = rng_below(&rng, 2) ? 0.0f : rng_uniform(&rng); // half of them equal
    }
    TreeTable table = tree_table_new(arena, x);
    for (int j = 0; j < 2; j++) {
        int rows[TREE_BINS] = {0};
        const float *low = table.lowest + j * TREE_BINS, *high = table.highest + j * TREE_BINS;
        ck_assert_int_ge(table.bin_counts[j], j ? 128 : 250);
        for (int i = 0; i < ROWS; i++) {
            const int bin = *tree_bin(&table, i, j);
            ck_assert(low[bin] <= AT(x, i, j) && AT(x, i, j) <= high[bin]);
            rows[bin]++;
        }
        for (int bin = 0; bin < table.bin_counts[j]; bin++) {
            ck_assert(bin == 0 || high[bin - 1] < low[bin]);
            ck_assert_msg(rows[bin] >= 1 && (rows[bin] <= 2 * ROWS / TREE_BINS || low[bin] == high[bin]),
                          "column %d: bin %d holds %d rows", j, bin, rows[bin]);
        }
    }
    arena_free(arena);
}
END_TEST

// Such a tree sends every row where its bins said.
START_TEST(rows_arrive_where_they_were_counted)
{
    enum { ROWS = 5000, COLS = 4 };
    Rng rng = rng_new(7, 7);
    Arena *arena = arena_new();
    Matrix x = matrix_new(arena, ROWS, COLS);
    fill_normal(x, &rng, 0.0f, 1.0f);
    int labels[ROWS], leaves[ROWS], predicted[ROWS];
    for (int i = 0; i < ROWS; i++) labels[i] = (AT(x, i, 0) + AT(x, i, 1) > 0.0f) + (AT(x, i, 2) > 1.0f);
    TreeTable table = tree_table_new(arena, x);
    Tree *tree = tree_fit(arena, &table, labels, 3, (TreeOptions){.max_depth = 7}, NULL, 0, NULL);
    tree_leaves(leaves, tree, x);
    tree_predict(predicted, tree, x);
    int *arrived = arena_zeros(arena, (size_t)tree->count * 3, sizeof *arrived), right = 0;
    for (int i = 0; i < ROWS; i++) {
        arrived[leaves[i] * 3 + labels[i]]++;
        ck_assert_int_eq(predicted[i], tree->nodes[leaves[i]].label);
        right += predicted[i] == labels[i];
    }
    for (int node = 0; node < tree->count; node++)
        for (int k = 0; k < 3 && tree->nodes[node].feature < 0; k++)
            ck_assert_int_eq(arrived[node * 3 + k], tree->class_counts[node * 3 + k]);
    ck_assert_int_gt(right, ROWS * 9 / 10);
    arena_free(arena);
}
END_TEST

// Neighbouring floats have no number between them: the threshold is then the lower one.
START_TEST(neighbouring_numbers_can_be_told_apart)
{
    float data[] = {1.0f, nextafterf(1.0f, 2.0f), -1e-45f, 1e-45f, 3.4e38f, nextafterf(3.4e38f, 0.0f)};
    for (int pair = 0; pair < 3; pair++) {
        Arena *arena = arena_new();
        Matrix x = matrix_view(2, 1, data + 2 * pair);
        int labels[] = {4, 2}, predicted[2];
        TreeTable table = tree_table_new(arena, x);
        Tree *tree = tree_fit(arena, &table, labels, 5, (TreeOptions){0}, NULL, 0, NULL);
        tree_predict(predicted, tree, x);
        ck_assert_int_eq(tree->count, 3);
        ck_assert(predicted[0] == 4 && predicted[1] == 2);
        arena_free(arena);
    }
}
END_TEST

START_TEST(a_split_that_improves_nothing_is_made_where_the_next_one_may)
{
    float data[] = {0, 0, 0, 1, 1, 0, 1, 1};
    int labels[] = {0, 1, 1, 0}, predicted[4];
    Arena *arena = arena_new();
    Matrix x = matrix_view(4, 2, data);
    TreeTable table = tree_table_new(arena, x);
    Tree *tree = tree_fit(arena, &table, labels, 2, (TreeOptions){0}, NULL, 0, NULL);
    tree_predict(predicted, tree, x);
    ck_assert_int_eq(tree->leaves, 4);
    for (int i = 0; i < 4; i++) ck_assert_int_eq(predicted[i], labels[i]);
    arena_free(arena);
}
END_TEST

START_TEST(what_cannot_be_split_is_a_leaf)
{
    float data[] = {2, 5, 2, 5, 2, 5};
    int labels[] = {1, 3, 3}, pure[] = {2, 2, 2};
    Arena *arena = arena_new();
    TreeTable table = tree_table_new(arena, matrix_view(3, 2, data));
    Tree *tree = tree_fit(arena, &table, labels, 4, (TreeOptions){0}, NULL, 0, NULL);
    ck_assert(tree->count == 1 && tree->leaves == 1 && tree->depth == 0 && tree->nodes[0].label == 3);
    ck_assert_double_eq_tol(tree->nodes[0].gini, 4.0 / 9, 1e-15);
    tree = tree_fit(arena, &table, pure, 4, (TreeOptions){0}, NULL, 0, NULL);
    ck_assert(tree->count == 1 && tree->nodes[0].gini == 0.0 && tree->nodes[0].label == 2);
    int one = 1;
    tree = tree_fit(arena, &table, labels, 4, (TreeOptions){0}, &one, 1, NULL);
    ck_assert(tree->count == 1 && tree->nodes[0].rows == 1 && tree->nodes[0].label == 3);
    arena_free(arena);
}
END_TEST

// Two features tell the classes apart, forty are the same in every row: whoever draws few must draw until one can be split.
START_TEST(features_are_drawn_until_one_can_be_split)
{
    enum { ROWS = 40, COLS = 42 };
    Arena *arena = arena_new();
    Rng rng = rng_new(3, 3);
    Matrix x = matrix_new(arena, ROWS, COLS);
    int labels[ROWS], seen[COLS] = {0};
    for (int i = 0; i < ROWS; i++) labels[i] = i % 2, AT(x, i, 7) = AT(x, i, 30) = (float)(i % 2);
    TreeTable table = tree_table_new(arena, x);
    for (int trial = 0; trial < 40; trial++) {
        Tree *tree = tree_fit(arena, &table, labels, 2, (TreeOptions){.features = 1}, NULL, 0, &rng);
        ck_assert_int_eq(tree->count, 3);
        seen[tree->nodes[0].feature]++;
    }
    ck_assert_msg(seen[7] >= 5 && seen[30] >= 5 && seen[7] + seen[30] == 40, "drawn %d and %d times", seen[7],
                  seen[30]);
    arena_free(arena);
}
END_TEST

// With a node's features drawn, the best of these: never worse than the worst feature, and the same again for the same seed.
START_TEST(the_same_generator_draws_the_same_tree)
{
    enum { ROWS = 300, COLS = 9 };
    Arena *arena = arena_new();
    Rng rng = rng_new(11, 1);
    Matrix x = matrix_new(arena, ROWS, COLS);
    fill_normal(x, &rng, 0.0f, 1.0f);
    int labels[ROWS];
    for (int i = 0; i < ROWS; i++) labels[i] = (int)rng_below(&rng, 4);
    TreeTable table = tree_table_new(arena, x);
    Rng first = rng_new(5, 0), second = rng_new(5, 0);
    const TreeOptions options = {.features = 3};
    Tree *a = tree_fit(arena, &table, labels, 4, options, NULL, 0, &first),
         *b = tree_fit(arena, &table, labels, 4, options, NULL, 0, &second),
         *next = tree_fit(arena, &table, labels, 4, options, NULL, 0, &second);
    ck_assert_int_eq(a->count, b->count);
    bool different = a->count != next->count;
    for (int i = 0; i < a->count; i++) {
        ck_assert(a->nodes[i].feature == b->nodes[i].feature &&
                  a->nodes[i].threshold == b->nodes[i].threshold);
        different = different || a->nodes[i].feature != next->nodes[i].feature;
    }
    ck_assert(different);
    arena_free(arena);
}
END_TEST

// ---- What is refused --------------------------------------------------------------------------------------------------------

static float four[] = {1, 2, 3, 4};
static void table_with(void *value)
{
    float data[] = {1, 2, 3, *(float *)value};
    tree_table_new(arena_new(), matrix_view(2, 2, data));
}
static void table_without(void *unused)
{
    (void)unused;
    tree_table_new(arena_new(), matrix_view(0, 2, four));
}
typedef struct {
    int labels[4], classes, row, count;
    TreeOptions options;
} Odd;
static void fit_odd(void *context)
{
    const Odd *odd = context;
    Arena *arena = arena_new();
    TreeTable table = tree_table_new(arena, matrix_view(4, 1, four));
    tree_fit(arena, &table, odd->labels, odd->classes, odd->options, odd->count ? &odd->row : NULL,
             odd->count, NULL);
}
static void predict_with(void *data)
{
    Arena *arena = arena_new();
    TreeTable table = tree_table_new(arena, matrix_view(2, 2, four));
    Tree *tree = tree_fit(arena, &table, (int[]){0, 1}, 2, (TreeOptions){0}, NULL, 0, NULL);
    int out[2];
    tree_predict(out, tree, *(Matrix *)data);
}

START_TEST(what_no_tree_can_grow_from_is_refused)
{
    expect_death(table_with, &(float){NAN}, "row 1, column 1 is nan");
    expect_death(table_with, &(float){INFINITY}, "row 1, column 1 is inf");
    expect_death(table_without, NULL, "x (0 × 2)");
    expect_death(fit_odd, (&(Odd){.labels = {0, 1, 2, 0}, .classes = 2}),
                 "the label of row 2 is 2, there are 2");
    expect_death(fit_odd, (&(Odd){.labels = {0, -1, 1, 0}, .classes = 2}), "the label of row 1 is -1");
    expect_death(fit_odd, (&(Odd){.classes = 257}), "257 classes");
    expect_death(fit_odd, (&(Odd){.classes = 2, .row = 4, .count = 1}), "rows[0] is 4, the table has 4");
    expect_death(fit_odd, (&(Odd){.classes = 2, .count = -1}), "-1 rows");
    expect_death(fit_odd, (&(Odd){.classes = 2, .options = {.max_depth = -1}}), "max_depth -1");
}
END_TEST

START_TEST(what_a_tree_cannot_answer_is_refused)
{
    float data[] = {NAN, 0, 0};
    expect_death(predict_with, (&(Matrix){1, 3, data}), "x (1 × 3), the tree knows 2 features");
    expect_death(predict_with, (&(Matrix){1, 2, data}), "row 0, column 0 is NaN");
}
END_TEST

SUITE("tree", trees_from_histograms_equal_trees_from_sorted_rows, two_hundred_and_fifty_six_values_are_kept,
      columns_of_many_values_are_cut_into_bins_of_equal_size, rows_arrive_where_they_were_counted,
      neighbouring_numbers_can_be_told_apart, a_split_that_improves_nothing_is_made_where_the_next_one_may,
      what_cannot_be_split_is_a_leaf, features_are_drawn_until_one_can_be_split,
      the_same_generator_draws_the_same_tree, what_no_tree_can_grow_from_is_refused,
      what_a_tree_cannot_answer_is_refused)
