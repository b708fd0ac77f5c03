// least_squares.h: a weighted sum that fits best: chapter 1's minibatch descent in one fused loop, and the solution at once.
//
// The chapter spells it out with products and subtractions on small matrices; here a minibatch is one pass over its rows:
// prediction, error and its share of the gradient while the row is in registers. Bits do not depend on the machine: a row
// is summed in 16 fixed lanes, the rows of a minibatch in order.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    int epochs, batch;
    float rate; // learning rate, constant
} LeastSquaresPlan;

// Minimises 1/(2n) ‖x·w − y‖² from w: x (n × d), y (n × 1), w (d × 1), all finite. Each epoch visits the rows in a fresh
// random order, batch at a time (the last minibatch may be smaller and is averaged over its own size).
// scratch is rewound before it returns.
#define least_squares_sgd(scratch, w, x, y, plan, rng) least_squares_sgd_at(HERE, scratch, w, x, y, plan, rng)
void least_squares_sgd_at(Place place, Arena *scratch, Matrix w, Matrix x, Matrix y, LeastSquaresPlan plan,
                          Rng *rng);

// The same minimum without descent: the normal equations xᵀx w = xᵀy in double precision, by Cholesky's factorisation,
// refined with the errors that are left. Overwrites w. x and y must be finite, and the columns of x independent: when one
// is a weighted sum of others to 6 digits, it stops. A column of ones beside one far from 0 is such a pair.
#define least_squares_solve(w, x, y) least_squares_solve_at(HERE, w, x, y)
void least_squares_solve_at(Place place, Matrix w, Matrix x, Matrix y);
