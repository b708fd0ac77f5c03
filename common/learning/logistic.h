// logistic.h: logistic regression for several classes (softmax regression), fast: by L-BFGS, or by minibatches.
//
//     LogisticProblem problem = logistic_problem(arena, x, labels, 10, 1e-4f);   // x (N × d), labels 0 … 9
//     Matrix w = matrix_new(arena, x.cols + 1, 10);
//     lbfgs_minimise(arena, w, logistic_objective, &problem, (LbfgsOptions){.iterations = 50});
//     logistic_predict(predicted, w, test);
//
// Scores are x · W + b; w ((d + 1) × K) is W with b as its last row. The loss is the mean cross-entropy of the softmax of
// the scores plus decay/2 · ‖W‖², biases left alone. One evaluation reads x once: a few rows at a time give their scores,
// their errors and their share of the gradient while they are in the cache. Scores are summed in single precision, so are
// the gradients of one of at most 32 parts of the rows; parts, and losses, in double.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    Matrix x;          // (N × d)
    const int *labels; // [N], 0 … classes − 1
    int classes;
    float decay;
    Arena *arena; // for scratch, rewound after each call
} LogisticProblem;

// decay ≥ 0. Labels out of range stop the program, and so does an x that is not finite when the loss is asked for.
#define logistic_problem(arena, x, labels, classes, decay)                                                   \
    logistic_problem_at(HERE, arena, x, labels, classes, decay)
LogisticProblem logistic_problem_at(Place place, Arena *arena, Matrix x, const int *labels, int classes,
                                    float decay);

// An LbfgsLoss (learning/lbfgs.h): w and its gradient ((d + 1) × K); problem is a LogisticProblem.
double logistic_objective(Matrix gradient, Matrix w, void *problem);

typedef struct {
    int epochs, batch;
    float rate; // learning rate, falling to 0 in a straight line
} LogisticPlan;

// Descends from w in minibatches of the loss, each epoch in a fresh random order; the last minibatch of an epoch may be
// smaller and is averaged over its own size.
#define logistic_sgd(problem, w, plan, rng) logistic_sgd_at(HERE, problem, w, plan, rng)
void logistic_sgd_at(Place place, const LogisticProblem *problem, Matrix w, LogisticPlan plan, Rng *rng);

// labels [N] ← the class with the largest score, of equal ones the first; x (N × d)
#define logistic_predict(labels, w, x) logistic_predict_at(HERE, labels, w, x)
void logistic_predict_at(Place place, int *labels, Matrix w, Matrix x);
