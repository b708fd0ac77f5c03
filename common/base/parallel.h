// parallel.h: how work is shared between cores, in one place.
//
// Loops are split with OpenMP, over outputs and never over a sum, so the result does not depend on the number of
// threads (OMP_NUM_THREADS). A loop that is too small is not split at all:
//
//     #pragma omp parallel for if (parallel_worth((size_t)rows * cols))
//     for (int i = 0; i < rows; i++) ...
//
// With "parallel for simd" write "if (parallel : …)": a bare "if" also forbids vectors when it is false.
#pragma once
#include <omp.h>
#include <stdbool.h>
#include <stddef.h>

// Below this many elementary operations, waking the other cores costs more than it saves (a region costs about 1 µs).
enum { PARALLEL_MINIMUM = 1 << 15 };

static inline bool parallel_worth(size_t operations) { return operations >= PARALLEL_MINIMUM; }

static inline int parallel_threads(void) { return omp_get_max_threads(); }
