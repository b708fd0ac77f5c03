// symmetric.h: eigenvalues and eigenvectors of a symmetric matrix.
//
//     double values[3];
//     Matrix vectors = matrix_new(arena, 3, 784);
//     symmetric_largest(values, vectors, m, 3);      // m (784 × 784): m v = λ v for the three largest λ
//
// Row i of vectors is the unit vector of values[i]; rows are orthogonal. Its sign: the first element of the
// largest size (within 2⁻¹⁶ of it) is positive. Vectors of equal eigenvalues are any orthonormal basis of their space. Only the
// lower triangle of m is read. Double precision inside; + − × ÷ and the square root only: the same bits everywhere.
//
// Not for matrices that are not symmetric: matrix/eigen.h.
#pragma once
#include "matrix/matrix.h"

// All n of m (n × n, finite), the largest first: Householder's reduction to three diagonals, then implicit QL steps
// (Martin, Reinsch and Wilkinson, Numerische Mathematik 11, 1968; Dubrulle, ibid. 15, 1970). Errors about 2⁻⁵² times the
// largest size of an eigenvalue, before rounding to floats. Time n³: meant for n up to about a thousand.
// vectors (n × n) may be m; NULL data: no vectors.
#define symmetric_eigen(values, vectors, m) symmetric_eigen_at(HERE, values, vectors, m)
void symmetric_eigen_at(Place place, double *values, Matrix vectors, Matrix m);

// The count largest (by value, not by size), 1 ≤ count ≤ n; vectors (count × n).
#define symmetric_largest(values, vectors, m, count) symmetric_largest_at(HERE, values, vectors, m, count)
void symmetric_largest_at(Place place, double *values, Matrix vectors, Matrix m, int count);

// The same of a matrix in double precision, for sums that are kept in it: m (n × n), vectors (count × n).
#define symmetric_largest_of_doubles(values, vectors, m, n, count)                                           \
    symmetric_largest_of_doubles_at(HERE, values, vectors, m, n, count)
void symmetric_largest_of_doubles_at(Place place, double *values, double *vectors, const double *m, int n,
                                     int count);
