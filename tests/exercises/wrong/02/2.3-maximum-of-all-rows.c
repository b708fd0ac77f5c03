// 2.3-maximum-of-all-rows.c: one maximum for the whole matrix: rows far below it vanish.
// expect-fail: 2.3
#include "exercise.h"
#include "base/mathf.h"

void softmax_of_rows(Matrix p, Matrix z)
{
    float most = largest(z);
    for (int i = 0; i < z.rows; i++) {
        float total = 0.0f;
        for (int k = 0; k < z.cols; k++) total += AT(p, i, k) = exp32(AT(z, i, k) - most);
        for (int k = 0; k < z.cols; k++) AT(p, i, k) /= total;
    }
}
