// 16.1-root-forgotten.c: divides by d instead of √d.
// expect-fail: 16.1
// and therefore: 16.3 16.5
#include "exercise.h"

void attention_scores(Matrix s, Matrix q, Matrix k)
{
    matmul_nt(s, q, k);
    scale(s, 1.0f / (float)q.cols);
}
