// pca.h: principal component analysis: the directions in which rows vary most.
//
//     Pca pca = pca_fit(arena, x, 2);                 // x (N × d): its mean and two components
//     pca_project(scores, &pca, x);                   // scores (N × 2), to be drawn
//     pca_rebuild(approximate, &pca, scores);         // back to (N × d): what two numbers a row can say
//     printf("%.1f%%\n", 100.0 * (double)sum(pca.variances) / pca.total_variance);
//
// The components are the eigenvectors of the covariance matrix with the largest eigenvalues (Pearson, Philosophical
// Magazine 2, 1901; Hotelling, Journal of Educational Psychology 24, 1933). No other k directions leave a smaller squared
// error (Eckart and Young, Psychometrika 1, 1936).
//
// Columns keep their units: standardise them first where the units differ.
#pragma once
#include "matrix/matrix.h"

// The fraction of the variance that is explained is Σ variances / total_variance.
typedef struct {
    Matrix mean;           // (1 × d)
    Matrix components;     // (k × d), orthonormal rows, signs as in matrix/symmetric.h
    Matrix variances;      // (1 × k) of the scores of x, 1/N as in column_variances, the largest first
    double total_variance; // of all columns of x
} Pca;

// x (N × d, finite), 1 ≤ k ≤ min(N, d). Where rows vary in fewer than k directions, the last variances are 0, but for
// rounding, and their components complete an orthonormal set. Products of 512 rows are summed in single precision, the rest
// in double: variances err by at most 512 · 2⁻²⁴ ≈ 3·10⁻⁵ of the total, and usually by 10⁻⁶ of the largest; with fewer rows
// than columns, everything is summed in double.
#define pca_fit(arena, x, k) pca_fit_at(HERE, arena, x, k)
Pca pca_fit_at(Place place, Arena *arena, Matrix x, int k);

// scores (N × k) = (x − mean) · componentsᵀ; x (N × d), the rows of pca_fit or others
#define pca_project(scores, pca, x) pca_project_at(HERE, scores, pca, x)
void pca_project_at(Place place, Matrix scores, const Pca *pca, Matrix x);

// x (N × d) = scores · components + mean; scores (N × j), j ≤ k: only the first j components
#define pca_rebuild(x, pca, scores) pca_rebuild_at(HERE, x, pca, scores)
void pca_rebuild_at(Place place, Matrix x, const Pca *pca, Matrix scores);
