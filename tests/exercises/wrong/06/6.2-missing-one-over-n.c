// 6.2-missing-one-over-n.c: not divided by the number of examples.
// expect-fail: 6.2
// and therefore: 6.4 6.5
#include "exercise.h"
#include "base/mathf.h"

void mlp_output_gradient(Matrix d_z, Matrix z, Matrix labels)
{
    for (int i = 0; i < z.rows; i++) {
        float top = AT(z, i, 0), total = 0.0f;
        for (int k = 1; k < z.cols; k++) top = fmaxf(top, AT(z, i, k));
        for (int k = 0; k < z.cols; k++) total += AT(d_z, i, k) = exp32(AT(z, i, k) - top);
        for (int k = 0; k < z.cols; k++) {
            float truth = k == (int)labels.data[i] ? 1.0f : 0.0f;
            AT(d_z, i, k) = (AT(d_z, i, k) / total - truth);
        }
    }
}
