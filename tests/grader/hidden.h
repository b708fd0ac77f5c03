// hidden.h: what the tests in tests/grader/hidden_NN.c are made with.
//
// Each draws ordinary inputs from the seed of the grading, calls the student's function and the reference,
// and compares:
//
//     START_TEST(the_loss_of_random_data)
//     {
//         Rng rng = hidden_rng(_i);                       // round _i of HIDDEN_ROUNDS
//         Arena *arena = arena_new();
//         Matrix x = hidden_matrix(&rng, arena, n, d), …
//         hidden_close(regression_loss(x, w, y), reference_regression_loss(x, w, y), 1e-4f);
//     }
//     HIDDEN({"1.1", the_loss_of_random_data}, …)
//
// They run in the trusted process only. A student is told that a hidden test failed, not on what.
#pragma once
#include <check.h>

#include "matrix/matrix.h"

typedef struct {
    const char *task;
    const TTest *test;
} HiddenTest;

enum { HIDDEN_MOST_TESTS = 60 };

int hidden_table(HiddenTest *table);

#define HIDDEN(...)                                                                                          \
    int hidden_table(HiddenTest *table)                                                                      \
    {                                                                                                        \
        const HiddenTest rows[] = {__VA_ARGS__};                                                             \
        _Static_assert(sizeof rows <= HIDDEN_MOST_TESTS * sizeof *rows, "too many hidden tests");            \
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) table[i] = rows[i];                          \
        return (int)(sizeof rows / sizeof *rows);                                                            \
    }

// A generator for one round of one test, from the seed of this grading.
Rng hidden_rng(int round);
extern uint64_t hidden_seed;

// rows × cols normal numbers of mean 0 and deviation 1.
Matrix hidden_matrix(Rng *rng, Arena *arena, int rows, int cols);
int hidden_between(Rng *rng, int low, int high); // low … high

// The answer must be the reference within tolerance, relative to the reference's largest element (at least
// 1e-3).
void hidden_close(float got, float expected, float tolerance);
void hidden_close_matrix(Matrix got, Matrix expected, float tolerance);
