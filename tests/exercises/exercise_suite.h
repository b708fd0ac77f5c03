// exercise_suite.h: how the exercises of chapters/NN-name are tested, in tests/exercises/exercise_NN.c.
//
//     #include "exercise.h"
//     #include "exercise_suite.h"
//
//     START_TEST(a_perfect_fit_has_no_loss) { … ck_assert_msg(…); } END_TEST
//
//     EXERCISE("01-linear-regression",
//              {"1.1", 10, a_perfect_fit_has_no_loss},
//              {"1.2", 20, the_gradient_points_uphill})
//
// The table holds task, points and test; a task may have several tests, and its rows follow each other.
//
// The file is linked three times, so it calls nothing of the student's but the functions of exercise.h, with
// arguments of the types Matrix, int, float and strings, and each test calls its own task's function first:
//   with solution.c    every test must pass;
//   with exercise.c    every test of a task whose stub still stands must fail with "TASK 1.2 is not written yet";
//                      once the stub is gone, its tests must pass;
//   by the grader      with functions that hand each call to a process of its own.
#pragma once
#include "suite.h"

typedef struct {
    const char *task;
    int points;
    const TTest *test;
} ExerciseTest;

enum { EXERCISE_MOST_TESTS = 200 };

// Defined by the test file: the chapter's folder, and its table, of which it returns the length.
extern const char exercise_folder[];
int exercise_table(ExerciseTest *table);

#define EXERCISE(folder, ...)                                                                                \
    const char exercise_folder[] = folder;                                                                   \
    int exercise_table(ExerciseTest *table)                                                                  \
    {                                                                                                        \
        const ExerciseTest rows[] = {__VA_ARGS__};                                                           \
        _Static_assert(sizeof rows <= EXERCISE_MOST_TESTS * sizeof *rows, "too many tests for one chapter"); \
        memcpy(table, rows, sizeof rows);                                                                    \
        return (int)(sizeof rows / sizeof *rows);                                                            \
    }
