// own_words.h: gives the names of matrix/matrix.h that are one common word free for functions of one's own, static or not. Each
// exercise.c includes it; whoever wants the library's add, copy, sum, … takes that line out. Those of several words stay
// (add_row, column_sums, matrix_copy), and matmul.
#pragma once
#include "matrix/matrix.h"

#undef add
#undef copy
#undef divide
#undef dot
#undef fill
#undef largest
#undef mean
#undef multiply
#undef norm
#undef scale
#undef smallest
#undef subtract
#undef sum
#undef transpose
