// eigen.h: the eigenvalues of a small square matrix, and the complex numbers that they are.
//
//     Complex poles[4];
//     eigenvalues(poles, a);                        // a (4 × 4), the largest first
//     printf("%.4f, %.4f rad\n", complex_size(poles[0]), complex_angle(poles[0]));
//
// Only + − × ÷ and the square root, in double precision: the same bits everywhere. Time n³; meant for n up to a few
// hundred. Not for eigenvectors, and not for large sparse matrices, where a power iteration does better.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    double re, im;
} Complex;

static inline Complex complex_plus(Complex a, Complex b) { return (Complex){a.re + b.re, a.im + b.im}; }
static inline Complex complex_minus(Complex a, Complex b) { return (Complex){a.re - b.re, a.im - b.im}; }
static inline Complex complex_times(Complex a, Complex b)
{
    return (Complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
Complex complex_over(Complex a, Complex b); // a / b; sizes between 1e-150 and 1e150
double complex_size(Complex z);             // |z|, for parts between 1e-150 and 1e150
double complex_angle(Complex z);            // in radians, −π … π; 0 for z = 0. Error below 1e-15

// All n eigenvalues of m (n × n, finite), with their multiplicity: Householder's reduction to Hessenberg form, then
// Francis' double-shift QR steps (The Computer Journal 4, 1961 and 1962; Golub and Van Loan, Matrix Computations, 7.5).
// Conjugate pairs are exact conjugates, side by side, the one with im > 0 first. Sorted by size, the largest first.
#define eigenvalues(values, m) eigenvalues_at(HERE, values, m)
void eigenvalues_at(Place place, Complex *values, Matrix m);

// The largest size of an eigenvalue.
#define spectral_radius(m) spectral_radius_at(HERE, m)
double spectral_radius_at(Place place, Matrix m);
