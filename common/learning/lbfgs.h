// lbfgs.h: minimising a smooth function of many numbers with L-BFGS.
//
//     static double bowl(Matrix gradient, Matrix w, void *context)      // the loss at w, and its gradient
//     {
//         …
//     }
//     LbfgsResult found = lbfgs_minimise(scratch, w, bowl, NULL, (LbfgsOptions){.iterations = 100});
//
// Newton's step divides the gradient by the curvature. L-BFGS takes the curvature from how the gradient changed along the
// last few steps, and never writes a matrix down: Liu and Nocedal, Mathematical Programming 45, 1989; the two loops are
// algorithm 7.4 of Nocedal and Wright, Numerical Optimization, 2006. Each step ends where both conditions of Wolfe hold
// in their strong form (c₁ = 10⁻⁴, c₂ = 0.9), which a bracket and cubic interpolation find; no step
// raises the loss by more than 2⁻²⁰ of itself, which is rounding.
//
// For whole batches: the loss must be the same function at every call. With minibatches it is not; learning/optim.h.
// Weights and gradients are floats, so a gradient becomes about 10⁻⁶ of what it is made of, and no smaller.
#pragma once
#include "matrix/matrix.h"

// Returns the loss at w and writes its gradient, of the shape of w.
typedef double LbfgsLoss(Matrix gradient, Matrix w, void *context);

typedef struct {
    int iterations;   // at most so many steps
    int memory;       // how many of the last steps are remembered; 0: 10
    double tolerance; // enough when no element of the gradient is larger
} LbfgsOptions;

typedef struct {
    double loss;             // at the w that was found
    double largest_gradient; // the largest size of an element of the gradient there
    int iterations;          // steps taken
    int evaluations;         // calls of the loss
    bool
        converged; // the tolerance was reached; otherwise the iterations were used up, or rounding left no way down
} LbfgsResult;

// From w to the minimum that lies downhill, in w. scratch is rewound. The loss at the start and its gradient must be finite;
// a step to where they are not is shortened.
#define lbfgs_minimise(scratch, w, loss, context, options)                                                   \
    lbfgs_minimise_at(HERE, scratch, w, loss, context, options)
LbfgsResult lbfgs_minimise_at(Place place, Arena *scratch, Matrix w, LbfgsLoss *loss, void *context,
                              LbfgsOptions options);
