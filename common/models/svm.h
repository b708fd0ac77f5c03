// svm.h: support vector machines for two classes and for several.
//
//     Svm svm = svm_fit(arena, x, y, (SvmOptions){.c = 1, .gamma = 0.1f});       // y[i] is +1 or −1
//     svm_decisions(scores, &svm, x_new);                                        // scores (N × 1): > 0 means +1
//
//     SvmClasses many = svm_fit_classes(arena, x, labels, 10, (SvmOptions){.c = 1, .gamma = svm_gamma_scale(x)});
//     svm_predict(predicted, &many, x_new);
//
// The kernel is K(u, v) = exp(−gamma ‖u − v‖²), or u · v where gamma is 0. Each row has a weight a_i, between 0 and c when
// y_i = 1 and between −c and 0 when y_i = −1; together they sum to 0 and make
//
//     Σ a_i y_i − ½ Σ a_i a_j K(x_i, x_j)
//
// as large as possible: the dual problem, with a_i = α_i y_i. Rows whose weight is not 0 are the support vectors; the decision
// for x is Σ a_i K(x_i, x) + bias. Solved two weights at a time, SMO (Platt 1998), which pair being decided by the second
// derivative as well (Fan, Chen and Lin, Journal of Machine Learning Research 6, 2005): what libsvm does, without its shrinking.
//
// Kernels are floats, made by the matrix product; weights and errors are doubles. Neither threads nor the memory for kernels
// change a bit. Columns of very different size deserve to be standardised first: for the kernel, a distance is a distance.
//
// Not for: regression, probabilities, other kernels; some ten thousand rows are what memory and patience allow.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    float c;            // the largest weight, > 0
    float gamma;        // of the kernel; 0: linear
    float tolerance;    // how far two errors may disagree in the end; 0 means 1e-3
    size_t cache_bytes; // memory for kernel values while it is fitted; 0 means 512 MiB
} SvmOptions;

typedef struct {
    float gamma;
    Matrix vectors; // (S × d) the support vectors
    Matrix weights; // (S × 1) a_i = α_i y_i
    float bias;
    int *rows;    // [S] the rows of x that they are, ascending
    int at_bound; // how many have weight c or −c
    double dual;  // Σ α_i − ½ Σ α_i α_j y_i y_j K_ij, the largest reached
    double gap; // by how much two errors disagree at the end: at most the tolerance, but after 10⁷ iterations
    long iterations; // pairs of weights that were moved
} Svm;

// x (N × d), finite; y [N], each 1 or −1, and both occur.
#define svm_fit(arena, x, ...) svm_fit_at(HERE, arena, x, __VA_ARGS__) // y, options
Svm svm_fit_at(Place place, Arena *arena, Matrix x, const float *y, SvmOptions options);

// scores (N × 1) for x (N × d)
#define svm_decisions(scores, svm, x) svm_decisions_at(HERE, scores, svm, x)
void svm_decisions_at(Place place, Matrix scores, const Svm *svm, Matrix x);

// ---- Several classes: one against one ------------------------------------------------------------------------------
// A machine for each pair (a, b) of classes that have rows, a < b, in the order (0, 1), (0, 2), …, (1, 2), …, whose +1 is a. Each gives one of its
// two classes a vote; most votes win, among equals the lowest class. A class without a row gets no vote.

enum { SVM_MOST_CLASSES = 1000 };

typedef struct {
    int classes, pairs;
    float gamma;
    Matrix vectors;      // (S × d) the rows that are support vectors of any pair
    Matrix weights;      // (S × pairs), 0 where a row is none of this pair
    Matrix biases;       // (1 × pairs)
    int *rows;           // [S] the rows of x that they are, ascending
    int *first, *second; // [pairs] the classes of each: a score > 0 is a vote for the first
    int *supports;       // [pairs] support vectors of each
    double *duals;       // [pairs]
    long iterations;     // of all
} SvmClasses;

// labels [N], from 0 to classes − 1; at least two of them occur.
#define svm_fit_classes(arena, x, ...)                                                                       \
    svm_fit_classes_at(HERE, arena, x, __VA_ARGS__) // labels, classes, options
SvmClasses svm_fit_classes_at(Place place, Arena *arena, Matrix x, const int *labels, int classes,
                              SvmOptions options);

// out [N] = the classes of x (N × d)
#define svm_predict(out, svm, x) svm_predict_at(HERE, out, svm, x)
void svm_predict_at(Place place, int *out, const SvmClasses *svm, Matrix x);

// 1 / (columns · variance of all numbers of x), a gamma that fits the size of the numbers: scikit-learn's "scale"
#define svm_gamma_scale(x) svm_gamma_scale_at(HERE, x)
float svm_gamma_scale_at(Place place, Matrix x);
