// tree.h: decision trees for classes, grown by the Gini impurity (Breiman, Friedman, Olshen and Stone, Classification and
// Regression Trees, 1984), from histograms.
//
//     TreeTable table = tree_table_new(arena, x);                   // x (N × d), finite: once for all trees
//     Tree *tree = tree_fit(arena, &table, labels, 3, (TreeOptions){.max_depth = 4}, NULL, 0, NULL);
//     tree_predict(predicted, tree, x);                             // predicted [N]
//
// A tree of a forest gets rows drawn with replacement, and looks for each split at a few features only:
//
//     for (int i = 0; i < x.rows; i++) rows[i] = (int)rng_below(&rng, (uint32_t)x.rows);
//     tree_fit(arena, &table, labels, 3, (TreeOptions){.features = 4}, rows, x.rows, &rng);
//
// A split asks "x[feature] ≤ threshold?"; yes goes left. With l_k rows of class k on the left, r_k on the right, l and r rows
// in all, its score is Σ l_k² / l + Σ r_k² / r, which is largest where the mean impurity of the two children is smallest.
// The best score wins, among equals the lowest feature and then the lowest threshold. The threshold is halfway between the
// node's largest value on the left and its smallest on the right. A node is a leaf when it is pure, when no split is left
// or allowed, or at the largest depth; a split need not improve anything, for the next one may (XOR).
//
// Why this is fast: a column is kept as bytes. Where it has at most 256 values, each has a bin of its own and nothing is
// lost; else the bins hold about equally many rows, and a threshold lies between two bins. The scores of all splits of a
// feature then follow from the node's counts of (bin, class), one pass over its bytes; sorting is not needed. Counts are
// integers: neither the number of threads nor their order changes a bit. One of two sisters' histograms could be
// had by subtraction from their parent's; for that every node's would have to be kept, 8 MB each on 784 columns and 10
// classes, and it is not done.
//
// Not for: regression, missing values, categories of no order (a column for each does it), surrogate splits.
#pragma once
#include "matrix/matrix.h"

enum { TREE_BINS = 256, TREE_GROUP = 4, TREE_MOST_CLASSES = 256 };

// A table of numbers, prepared for trees. It does not need x any more.
typedef struct {
    int rows, cols;
    uint8_t *bins;   // the bin of each number, groups of columns one after the other: see tree_bin
    int *bin_counts; // [cols] how many bins a column has
    float *lowest;   // [cols · TREE_BINS] the smallest number of each bin
    float *highest;  // [cols · TREE_BINS] and the largest; the same where each number has its bin
} TreeTable;

// The bin of a number. That of the next row is TREE_GROUP bytes further: so many columns lie side by side, since those who
// count a row in one mostly count it in all.
static inline const uint8_t *tree_bin(const TreeTable *table, int row, int column)
{
    const size_t group = (size_t)(column / TREE_GROUP), rows = (size_t)table->rows;
    return table->bins + (group * rows + (size_t)row) * TREE_GROUP + column % TREE_GROUP;
}

typedef struct {
    int max_depth; // 0: no limit; 1: one split
    int min_leaf;  // rows that each child must have; 0 means 1
    int features;  // how many to try for each split, drawn anew for each node; 0: all
} TreeOptions;

typedef struct {
    int feature;     // −1 in a leaf
    float threshold; // row[feature] ≤ threshold: left
    int left, right; // numbers of the children, both above this node's; −1 in a leaf
    int label;       // the most frequent class, among equals the lowest
    int rows;        // that arrived here in training; one drawn twice counts twice
    int depth;       // 0 at the root
    double gini;     // 1 − Σ (count of a class / rows)²
} TreeNode;

typedef struct {
    int features, classes;
    int count, leaves, depth; // nodes; leaves among them; the depth of the deepest
    TreeNode *nodes;          // [count]; the root is the first, then level after level, left before right
    int *class_counts;        // [count · classes] rows of each class in each node
} Tree;

// x (N × d), finite, with at least one column. The columns are shared between threads.
#define tree_table_new(arena, x) tree_table_new_at(HERE, arena, x)
TreeTable tree_table_new_at(Place place, Arena *arena, Matrix x);

// Grows a tree on some rows of the table: rows [count], repeated as you like; NULL: on all, and count is not looked at.
// labels [table->rows], from 0 to classes − 1. rng (NULL where options.features is 0 or all) is asked where features are drawn:
// those of node n come from rng_stream(rng, n), and rng moves on by one number, so that the next tree gets others. When
// none of the drawn features can be split, more are drawn, one by one.
#define tree_fit(arena, table, ...) tree_fit_at(HERE, arena, table, __VA_ARGS__)
Tree *tree_fit_at(Place place, Arena *arena, const TreeTable *table, const int *labels, int classes,
                  TreeOptions options, const int *rows, int count, Rng *rng);

// out [x.rows] = the classes. x (N × features); a NaN that a split asks for stops the program.
#define tree_predict(out, tree, x) tree_predict_at(HERE, out, tree, x)
void tree_predict_at(Place place, int *out, const Tree *tree, Matrix x);

// leaves [x.rows] = the number of the leaf in which each row arrives.
#define tree_leaves(leaves, tree, x) tree_leaves_at(HERE, leaves, tree, x)
void tree_leaves_at(Place place, int *leaves, const Tree *tree, Matrix x);

// The number halfway between low < high, rounded to a float; low where that would be high, which must go right.
static inline float tree_threshold(float low, float high)
{
    const float middle = 0.5f * low + 0.5f * high;
    return middle < high ? middle : low;
}
