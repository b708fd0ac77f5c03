// kmeans.h: k-means clustering: k centres, each row with its nearest, each centre the mean of its rows.
//
//     Rng rng = rng_new(1, 0);
//     Kmeans found = kmeans_fit(arena, x, 10, 100, &rng);         // x (N × d), 10 centres, at most 100 steps
//     printf("cost %.1f after %d steps\n", found.cost, found.steps);
//
// or step by step, as Lloyd does (IEEE Transactions on Information Theory 28, 1982):
//
//     kmeans_plus_plus(centres, x, &rng);
//     for (int i = 0; i < 20; i++) cost = kmeans_step(scratch, centres, labels, x);
//
// The cost is the sum of squared distances of the rows from their centres. No step can raise it; where it stops depends on
// the start, so take the best of several.
//
// A row belongs to the centre whose distance, in double precision, is the smallest; of equal ones to the first. The
// distances are found by the product, ‖c‖² − 2 x·c, in single precision; where the two smallest are closer than its
// rounding can tell, differences in double precision decide. The cost is summed from differences: each row's in single
// precision (relative error about d/16 · 2⁻²⁴), the rows' in double. Values must be finite, and their squares too.
#pragma once
#include "matrix/matrix.h"

// centres (k × d) ← k rows of x (N × d), k ≤ N: the first any, each further one with a chance in proportion to its squared
// distance from the nearest so far (k-means++: Arthur and Vassilvitskii, SODA 2007). When every row is a centre already,
// as with duplicated rows, any row.
#define kmeans_plus_plus(centres, x, rng) kmeans_plus_plus_at(HERE, centres, x, rng)
void kmeans_plus_plus_at(Place place, Matrix centres, Matrix x, Rng *rng);

// labels [N] ← the number of the nearest centre; returns the cost. scratch is rewound.
#define kmeans_assign(scratch, labels, centres, x) kmeans_assign_at(HERE, scratch, labels, centres, x)
double kmeans_assign_at(Place place, Arena *scratch, int *labels, Matrix centres, Matrix x);

// One step of Lloyd: kmeans_assign, then each centre moves to the mean of its rows. Returns the cost of the assignment,
// before the centres move. A centre without rows stays where it is.
#define kmeans_step(scratch, centres, labels, x) kmeans_step_at(HERE, scratch, centres, labels, x)
double kmeans_step_at(Place place, Arena *scratch, Matrix centres, int *labels, Matrix x);

typedef struct {
    Matrix centres; // (k × d)
    int *labels;    // [N]
    double cost;    // of these labels and these centres
    int steps;      // how often the centres were moved
    bool settled;   // the last step changed no label: no further one would change anything
} Kmeans;

// At most so many steps from kmeans_plus_plus. Rows whose centre cannot have changed are passed over, and sums follow the
// rows that change sides: the labels are those of kmeans_step, and so are the centres, but for rounding in double precision.
#define kmeans_fit(arena, x, k, steps, rng) kmeans_fit_at(HERE, arena, x, k, steps, rng)
Kmeans kmeans_fit_at(Place place, Arena *arena, Matrix x, int k, int steps, Rng *rng);

// At most so many steps from the given centres, which stay as they are.
#define kmeans_from(arena, start, x, steps) kmeans_from_at(HERE, arena, start, x, steps)
Kmeans kmeans_from_at(Place place, Arena *arena, Matrix start, Matrix x, int steps);
