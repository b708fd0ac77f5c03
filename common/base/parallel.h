// parallel.h: how work is shared between cores, in one place.
//
// Loops are split with OpenMP, over outputs and never over a sum, so the result does not depend on the number of
// threads (OMP_NUM_THREADS). A loop that is too small is not split at all:
//
//     PARALLEL_EACH(i, matrix_size(y), y.data[i] = tanh32(x.data[i]));
//     PARALLEL_FOR(parallel_worth(matrix_size(m)), i, m.rows, {
//         float *row = matrix_row(m, i);
//         ...
//     });
//
// A team is always all threads, also where there is work for some of them: gcc's library ends those that a smaller team does
// without, and makes them anew for the next larger one, which took 26 µs each.
//
// Longer loops, and those of another form, are written with the pragma itself, "omp parallel for if (parallel_worth(…))"; with
// "parallel for simd" that is "if (parallel : …)", because a bare "if" also forbids vectors when it is false.
//
// This is the only file that asks OpenMP's library anything. A compiler without OpenMP passes over the pragmas, and then
// the answers below are those of a program with one thread, which computes the same bits.
#pragma once
#include "base/cores.h"
#include <stdbool.h>
#include <stddef.h>

#ifdef _OPENMP
#include <omp.h>
static inline int parallel_threads(void) { return omp_get_max_threads(); } // of the next region, at most
static inline void parallel_set_threads(int count) { omp_set_num_threads(count); }
static inline bool parallel_inside(void) { return omp_in_parallel(); }
static inline int parallel_team(void) { return omp_get_num_threads(); }  // threads of this region
static inline int parallel_number(void) { return omp_get_thread_num(); } // this thread's, from 0
#else
static inline int parallel_threads(void) { return 1; }
static inline void parallel_set_threads(int count) { (void)count; }
static inline bool parallel_inside(void) { return false; }
static inline int parallel_team(void) { return 1; }
static inline int parallel_number(void) { return 0; }
#endif

// Below this many elementary operations, calling the other cores costs more than it saves: about 1 µs where their threads spin
// while they wait, and tens of them where they sleep (the Makefile says which do). Of more than four threads, each has to have a
// fourth of that to do.
enum { PARALLEL_MINIMUM = 1 << 15 };

static inline bool parallel_worth(size_t operations)
{
    return operations >= PARALLEL_MINIMUM &&
           operations / (PARALLEL_MINIMUM / 4) >= (size_t)parallel_threads();
}

// PARALLEL_FOR: for the int i from 0 to count − 1, on all threads if it is worth it. PARALLEL_EACH: for the size_t i, in vectors,
// on all threads where there are enough; each costs about one operation. The body is a statement or a block.
//
// OpenMP's own clause hands a loop that is not worth it to a team of one. To make that takes 0.4 µs with gcc's library and 1.1 µs
// with clang's, forty times as long as a loop over 64 numbers takes, and a small model is made of such: so the loop stands twice.
#define PARALLEL_FOR(worth, i, count, ...)                                                                   \
    do {                                                                                                     \
        const int i##_count = (count);                                                                       \
        if (worth) {                                                                                         \
            _Pragma("omp parallel")                                                                          \
            {                                                                                                \
                cores_keep_apart();                                                                          \
                _Pragma("omp for nowait") for (int i = 0; i < i##_count; i++) { __VA_ARGS__; }               \
            }                                                                                                \
        } else {                                                                                             \
            for (int i = 0; i < i##_count; i++) {                                                            \
                __VA_ARGS__;                                                                                 \
            }                                                                                                \
        }                                                                                                    \
    } while (0)
#define PARALLEL_EACH(i, count, ...)                                                                         \
    do {                                                                                                     \
        const size_t i##_count = (count);                                                                    \
        if (parallel_worth(i##_count)) {                                                                     \
            _Pragma("omp parallel")                                                                          \
            {                                                                                                \
                cores_keep_apart();                                                                          \
                _Pragma("omp for simd nowait") for (size_t i = 0; i < i##_count; i++) { __VA_ARGS__; }       \
            }                                                                                                \
        } else {                                                                                             \
            _Pragma("omp simd") for (size_t i = 0; i < i##_count; i++) { __VA_ARGS__; }                      \
        }                                                                                                    \
    } while (0)
