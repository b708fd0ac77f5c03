// 2.3-not-divided.c: exponentials that do not add up to 1.
// expect-fail: 2.3
// and therefore: 2.4
#include "exercise.h"
#include "base/mathf.h"

void softmax_of_rows(Matrix p, Matrix z)
{
    for (int i = 0; i < z.rows; i++) {
        float most = AT(z, i, 0);
        for (int k = 1; k < z.cols; k++) most = fmaxf(most, AT(z, i, k));
        for (int k = 0; k < z.cols; k++) AT(p, i, k) = exp32(AT(z, i, k) - most);
    }
}
