// 13.3-wrong-order.c: a_1·a_2.
// expect-fail: 13.3
#include "exercise.h"

void compose(Matrix a, Matrix b, Matrix a_1, Matrix b_1, Matrix a_2, Matrix b_2)
{
    matmul(a, a_1, a_2);
    matmul(b, a_2, b_1);
    add(b, b, b_2);
}
