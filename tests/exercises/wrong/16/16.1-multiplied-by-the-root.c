// 16.1-multiplied-by-the-root.c: times √d instead of divided.
// expect-fail: 16.1
// and therefore: 16.3 16.5
#include "exercise.h"
#include <math.h>

void attention_scores(Matrix s, Matrix q, Matrix k)
{
    matmul_nt(s, q, k);
    scale(s, sqrtf((float)q.cols));
}
