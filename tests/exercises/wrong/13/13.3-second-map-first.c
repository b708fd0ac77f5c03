// 13.3-second-map-first.c: the maps are exchanged.
// expect-fail: 13.3
#include "exercise.h"

void compose(Matrix a, Matrix b, Matrix a_1, Matrix b_1, Matrix a_2, Matrix b_2)
{
    matmul(a, a_1, a_2);
    matmul(b, a_1, b_2);
    add(b, b, b_1);
}
