// isolation_forest.h: which rows are unlike the others: those that random cuts set apart soonest.
//
//     Rng rng = rng_new(1, 0);
//     IsolationForest forest = isolation_forest_fit(arena, x, 100, 256, &rng);   // x (N × d), 100 trees of 256 rows
//     isolation_forest_scores(scores, &forest, x);                               // near 1: an anomaly; below ½: none
//
// Isolation Forest (Liu, Ting and Zhou, ICDM 2008). A tree takes some rows and cuts them at a random value of a random
// column, again and again, until each is alone or log₂ of their number is reached. The score is 2^(−E h / c(ψ)): E h the
// mean length of a row's path, c(ψ) that of an unsuccessful search in a binary search tree of ψ keys. Where a path ends
// among n > 1 rows, c(n) is added.
//
// A column that is constant among the rows of a node is not cut. Columns need no standardising. A NaN or an infinity in a
// row that is drawn, or scored, stops the program.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    float threshold; // x[column] ≤ threshold goes to the left; ∞ at a leaf
    int column;      // 0 at a leaf
    int left;        // a node of the forest, the right one behind it; a leaf names itself
    float length;    // of a path that ends here, at a leaf
} IsolationNode;

typedef struct {
    int trees, sample, columns, depth; // depth: the most that a path can have
    const int *roots;                  // [trees]
    const IsolationNode *nodes;
    float usual_length; // c(sample)
} IsolationForest;

// sample rows for each tree, drawn without replacement; all when N is smaller. At least 2 rows.
#define isolation_forest_fit(arena, x, trees, sample, rng)                                                   \
    isolation_forest_fit_at(HERE, arena, x, trees, sample, rng)
IsolationForest isolation_forest_fit_at(Place place, Arena *arena, Matrix x, int trees, int sample, Rng *rng);

// scores [N] ← between 0 and 1; x (N × d)
#define isolation_forest_scores(scores, forest, x) isolation_forest_scores_at(HERE, scores, forest, x)
void isolation_forest_scores_at(Place place, float *scores, const IsolationForest *forest, Matrix x);

// c(n) = 2 (1 + ½ + … + 1/(n − 1)) − 2 (n − 1)/n, and 0 for n < 2: the sum itself, which Liu et al. estimate by a logarithm
double isolation_usual_length(int n);
