// eigen.h: the eigenvalues of a small square matrix, and the complex numbers that they are.
//
//     Complex poles[4];
//     eigenvalues(poles, a);                        // a (4 × 4), the largest first
//     printf("%.4f, %.4f rad\n", complex_size(poles[0]), complex_angle(poles[0]));
//
// Beside them stand what else a small linear system asks for: the matrix exponential, which takes it from continuous to
// discrete time, and companion matrices, whose eigenvalues are the roots of a polynomial.
//
// Only + − × ÷, powers of two and the square root, in double precision: the same bits everywhere. Time n³; meant for n up to a few
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
Complex complex_over(Complex a, Complex b); // a / b; b ≠ 0
double complex_size(Complex z);             // |z|
double complex_angle(Complex z);            // in radians, −π … π; 0 for z = 0. Error below 1e-15

// All n eigenvalues of m (n × n, finite), with their multiplicity: rows and columns made alike in size, Householder's reduction to Hessenberg form, then
// Francis' double-shift QR steps (The Computer Journal 4, 1961 and 1962; Golub and Van Loan, Matrix Computations, 7.5).
// Conjugate pairs are exact conjugates, side by side, the one with im > 0 first. Sorted by size, the largest first.
#define eigenvalues(values, m) eigenvalues_at(HERE, values, m)
void eigenvalues_at(Place place, Complex *values, Matrix m);

// The largest size of an eigenvalue.
#define spectral_radius(m) spectral_radius_at(HERE, m)
double spectral_radius_at(Place place, Matrix m);

// Two sets of eigenvalues as sets: the largest distance of one of them from the nearest of the other set, relative to its
// size. a and b (n × n) of any two sizes.
double eigenvalues_apart(Matrix a, Matrix b);

// e = exp(t · m), both (n × n); e may be m. By the series, after t · m has been halved until it is small; the result is
// squared as often. Relative error about 2⁻⁵² times the size of t · m, then rounded to floats. m and t must be finite;
// stops where the result is larger than any float.
#define matrix_exponential(e, m, t) matrix_exponential_at(HERE, e, m, t)
void matrix_exponential_at(Place place, Matrix e, Matrix m, double t);

// The matrix (n × n) whose eigenvalues are the roots of zⁿ = w_0 zⁿ⁻¹ + … + w_(n−1): w in the first row, ones below the
// diagonal.
Matrix companion_matrix(Arena *arena, const float *w, int n);
