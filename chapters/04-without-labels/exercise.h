// Exercises of chapter 4, learning without labels: what each task takes and gives back. Do not edit: write in exercise.c.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 4.1  k-means on a stream (MacQueen 1967): one example comes, moves one centre, and is forgotten. The nearest centre (of
// equally near ones the first) gets a count of one more, n, and then moves by 1/n of the way to the example, so that
// it stays the mean of all that have come to it. centres (k × d), counts (k × 1): whole numbers, example (1 × d), k ≥ 1.
void stream_step(/* in/out */ Matrix centres, /* in/out */ Matrix counts, Matrix example);

// TASK 4.2  k-means++: with which probability is each example the next centre? In proportion to D², the squared distance from the nearest of
// the centres so far. Where every example is on a centre, all are equally likely. x (N × d), centres (k × d), N and k ≥ 1.
// p (N × 1) is overwritten, and adds up to 1.
void next_centre_probabilities(/* out */ Matrix p, Matrix x, Matrix centres);

// TASK 4.3  Power iteration without changing the matrix: v becomes c · v without its parts along the components already found, and then
// of length 1. The rows of found are these components, unit vectors perpendicular to each other. Returns the length before
// v was made 1 long. When that is 0, v stays as it is. v (1 × n), c (n × n, symmetric), found (m × n), m ≥ 1.
float deflated_step(/* in/out */ Matrix v, Matrix c, Matrix found);

// TASK 4.4  Apriori's bound: a set is a row of 0 and 1, one for each item. candidate (1 × m) has two items or more; the rows of
// frequent (n × m, n ≥ 1) are sets, some with as many items as the candidate has, less one. Returns 1 when every set that is the candidate without
// one of its items is a row of frequent, otherwise 0.
int candidate_survives(Matrix candidate, Matrix frequent);

// TASK 4.5  For each reading, the median of the `window` readings before it, without itself; of as many as there are, where there are fewer;
// and at the very first, that reading. The median of an even number is the mean of the two in the middle.
// series and out (N × 1), N ≥ 1, window ≥ 1; out is overwritten.
void running_median(/* out */ Matrix out, Matrix series, int window);
