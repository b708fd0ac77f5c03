// 13.3-first-shift-not-carried-on.c: b_1 does not pass the second map.
// expect-fail: 13.3
#include "exercise.h"

void compose(Matrix a, Matrix b, Matrix a_1, Matrix b_1, Matrix a_2, Matrix b_2)
{
    matmul(a, a_2, a_1);
    add(b, b_1, b_2);
}
