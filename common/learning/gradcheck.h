// gradcheck.h: is a backward function the derivative of its forward function? Asked by central differences.
//
// The output is weighed with a fixed, uneven upstream gradient (an all-ones one misses the mistakes of
// normalisations), the weighed sum is formed in double precision, and every element of every checked tensor
// is moved both ways by 1e-2 · max(1, |x|), a step at which float32 keeps most of its digits. The error keeps
// its sign: a flipped gradient is as wrong as a doubled one. Anything that is not finite fails first.
#pragma once
#include "learning/tensor.h"

// Builds the graph from the tensors in context, on this tape, and returns its output (any shape).
// It is called many times and must give the same function each time (dropout: the same seed).
typedef Tensor *(*GraphBuilder)(Tape *tape, void *context);

typedef struct {
    bool passed;
    double worst;      // largest |analytic − numeric| / (1 + |numeric|)
    const char *where; // for the worst: which tensor …
    int row, col;      // … and which element
    double analytic, numeric;
    char message[256]; // one line for people
} GradcheckResult;

// tensors: parameters (parameter_new) to check, with their names. tolerance: on the error above, 2e-3 for
// most operations.
GradcheckResult gradcheck(GraphBuilder build, void *context, Tensor *const *tensors, const char *const *names,
                          int count, double tolerance);
