// Exercises of chapter 3, trees and margins: what each task takes and gives back. Do not edit: write in exercise.c.
//
// Labels and other whole numbers in a matrix are floats. Outputs are overwritten, whatever they held; inputs are not
// changed.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

enum { MAX_CLASSES = 16 };

// TASK 3.1  How good is the best threshold of one column, by entropy? The entropy of a set is −Σₖ pₖ ln pₖ, with 0 · ln
// 0 = 0. A threshold sends all rows with values up to it to the left, the others to the right; both sides have rows.
// Return the smallest mean of the two sides' entropies, each weighted by its rows; where all values are equal, the
// entropy of the whole set.
// values (n × 1) in ascending order, labels (n × 1) from 0 to classes − 1, classes ≤ MAX_CLASSES.
float least_entropy(Matrix values, Matrix labels, int classes);

// TASK 3.2  At which price for a leaf a branch should become a single leaf: (impurity of its root − impurity of its
// leaves) / (leaves − 1), where a node's impurity is rows/total · (1 − Σ (count of a class / rows)²), and that of the
// leaves is their sum.
// counts (L × K): the rows of each class in each of the L ≥ 2 leaves of the branch, K ≤ MAX_CLASSES; a leaf may be empty; the rows of its
// root are those of all leaves together. total > 0.
float price_of_branch(Matrix counts, float total);

// TASK 3.3  The out-of-bag error: the fraction of rows that are called wrongly by those trees that have not seen them,
// most votes winning, and among equals the lowest class. Rows that every tree has seen are not counted, neither as
// right nor as wrong; if there are no others, return NAN.
// answers (T × n): the class that each tree gives to each row, from 0 to classes − 1; bags (T × n): how often each
// tree's bag holds the row; labels (n × 1); classes ≤ MAX_CLASSES.
float out_of_bag_error(Matrix answers, Matrix bags, Matrix labels, int classes);

// TASK 3.4  The squared hinge has no kink: P = ½ ‖w‖² + c Σᵢ max(0, 1 − yᵢ xᵢ·w)². Returns P, and its gradient.
// gradient and w (d × 1), x (n × d), y (n × 1) of 1 and −1.
float squared_hinge(/* out */ Matrix gradient, Matrix w, Matrix x, Matrix y, float c);

// TASK 3.5  One step of SMO: raise αᵢ yᵢ and lower αⱼ yⱼ by the same δ, as far as D = Σ α − ½ Σ αₖ αₘ yₖ yₘ Kₖₘ grows,
// and no further than 0 or c allow for either α. Returns δ, which is 0 where D does not grow that way. The curvature
// Kᵢᵢ + Kⱼⱼ − 2 Kᵢⱼ is > 0.
// alpha (n × 1) between 0 and c, y (n × 1) of 1 and −1, k (n × n), i ≠ j from 0.
float smo_step(/* in/out */ Matrix alpha, Matrix y, Matrix k, int i, int j, float c);
