// omp.h: for the tree of MODE=fuzz, which is built without OpenMP: one thread. So fuzzing needs no OpenMP for clang, and
// no thread of a pool keeps memory that a harness takes for a reader's.
#pragma once

static inline int omp_get_max_threads(void) { return 1; }
static inline int omp_get_num_threads(void) { return 1; }
static inline int omp_get_thread_num(void) { return 0; }
static inline int omp_in_parallel(void) { return 0; }
