// 13.3-second-shift-forgotten.c: without b_2.
// expect-fail: 13.3
#include "exercise.h"

void compose(Matrix a, Matrix b, Matrix a_1, Matrix b_1, Matrix a_2, Matrix b_2)
{
    (void)b_2;
    matmul(a, a_2, a_1);
    matmul(b, a_2, b_1);
}
