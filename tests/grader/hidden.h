// hidden.h: what the tests in tests/grader/hidden_NN.c are made with.
//
// Each draws ordinary inputs from the seed of the grading, calls the student's function and the reference, and compares:
//
//     #include "reference.h" // generated from exercise.h: reference_regression_gradient, same_regression_gradient, …
//
//     ROUNDS(3, the_gradient_of_random_data)
//     {
//         Data data = draw(rng, arena);
//         same_regression_gradient(1e-4f, hidden_matrix(rng, arena, data.x.cols, 1), data.x, data.w, data.y);
//     }
//     HIDDEN({"1.2", the_gradient_of_random_data}, …)
//
// In one call only one argument is drawn: C does not say in which order arguments are computed.
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

// A test of so many rounds; number i of them is what follows. Each has a generator of its own, and an arena.
#define ROUNDS(count, name)                                                                                  \
    static void name##_round(Rng *rng, Arena *arena, int i);                                                 \
    START_TEST(name)                                                                                         \
    {                                                                                                        \
        for (int i_ = 0; i_ < (count); i_++) {                                                               \
            Rng rng_ = hidden_rng(i_);                                                                       \
            Arena *arena_ = arena_new();                                                                     \
            name##_round(&rng_, arena_, i_);                                                                 \
            arena_free(arena_);                                                                              \
        }                                                                                                    \
    }                                                                                                        \
    END_TEST                                                                                                 \
    static void name##_round(__attribute__((unused)) Rng *rng, __attribute__((unused)) Arena *arena,         \
                             __attribute__((unused)) int i)

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
