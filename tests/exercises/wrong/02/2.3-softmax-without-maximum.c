// 2.3-softmax-without-maximum.c: exponentials of the scores as they are: they overflow, or all vanish.
// expect-fail: 2.3
// and therefore: 2.4
#include "exercise.h"
#include "base/mathf.h"

void softmax_of_rows(Matrix p, Matrix z)
{
    for (int i = 0; i < z.rows; i++) {
        float total = 0.0f;
        for (int k = 0; k < z.cols; k++) total += AT(p, i, k) = exp32(AT(z, i, k));
        for (int k = 0; k < z.cols; k++) AT(p, i, k) /= total;
    }
}
