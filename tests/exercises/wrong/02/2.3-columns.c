// 2.3-columns.c: each column adds up to 1, not each row.
// expect-fail: 2.3
// and therefore: 2.4
#include "exercise.h"
#include "base/mathf.h"

void softmax_of_rows(Matrix p, Matrix z)
{
    for (int k = 0; k < z.cols; k++) {
        float most = AT(z, 0, k), total = 0.0f;
        for (int i = 1; i < z.rows; i++) most = fmaxf(most, AT(z, i, k));
        for (int i = 0; i < z.rows; i++) total += AT(p, i, k) = exp32(AT(z, i, k) - most);
        for (int i = 0; i < z.rows; i++) AT(p, i, k) /= total;
    }
}
