// parallel.h: how work is shared between cores, in one place.
//
// Loops are split with OpenMP, over outputs and never over a sum, so the result does not depend on the number of
// threads (OMP_NUM_THREADS). A loop that is too small is not split at all:
//
//     #pragma omp parallel for if (parallel_worth((size_t)rows * cols))
//     for (int i = 0; i < rows; i++) ...
//
// With "parallel for simd" write "if (parallel : …)": a bare "if" also forbids vectors when it is false.
//
// This is the only file that asks OpenMP's library anything. A compiler without OpenMP passes over the pragmas, and then
// the answers below are those of a program with one thread, which computes the same bits.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#ifdef _OPENMP
#include <omp.h>
#endif

// Below this many elementary operations, calling the other cores costs more than it saves: about 1 µs where their threads spin
// while they wait, and tens of them where they sleep (the Makefile says which do).
enum { PARALLEL_MINIMUM = 1 << 15 };

static inline bool parallel_worth(size_t operations) { return operations >= PARALLEL_MINIMUM; }

#ifdef _OPENMP
static inline int parallel_threads(void)
{
    return omp_get_max_threads();
} // of the next parallel region, at most
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
