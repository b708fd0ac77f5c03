// 16.1-not-divided.c: the bare products.
// expect-fail: 16.1
// and therefore: 16.3 16.5
#include "exercise.h"

void attention_scores(Matrix s, Matrix q, Matrix k) { matmul_nt(s, q, k); }
