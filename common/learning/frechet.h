// frechet.h: the Fréchet distance between two sets of vectors, each taken for a normal distribution.
//
//     Gaussian real = gaussian_fit(arena, features_of_real);
//     double distance = frechet_distance(real, gaussian_fit(arena, features_of_generated));
//
//     d² = ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)
//
// (Dowson and Landau, Journal of Multivariate Analysis 12, 1982). With the features of an Inception network it is the FID of
// Heusel et al. 2017; with those of any other network, numbers can be compared only with each other. What is returned is d²,
// as FID is. It sees means and covariances and nothing else, and it is biased upwards for small sets, which have
// fewer than all directions: compare sets of one size, and print what real images get against real images.
//
// Double precision inside; + − × ÷ and the square root only: the same bits everywhere.
#pragma once
#include "base/arena.h"
#include "matrix/matrix.h"

typedef struct {
    int count, features;
    double *mean;       // [features]
    double *covariance; // [features · features], divided by count − 1, as numpy.cov
} Gaussian;

// Rows are vectors; at least two, all finite.
#define gaussian_fit(arena, rows) gaussian_fit_at(HERE, arena, rows)
Gaussian gaussian_fit_at(Place place, Arena *arena, Matrix rows);

// d², 0 for equal ones up to rounding, never below 0. Both have the same number of features.
#define frechet_distance(a, b) frechet_distance_at(HERE, a, b)
double frechet_distance_at(Place place, Gaussian a, Gaussian b);
