// 6.2-softmax-without-maximum.c: exponentials of the scores as they are: they overflow, or all vanish.
// expect-fail: 6.2
#include "exercise.h"
#include "base/mathf.h"

void mlp_output_gradient(Matrix d_z, Matrix z, Matrix labels)
{
    for (int i = 0; i < z.rows; i++) {
        float total = 0.0f;
        for (int k = 0; k < z.cols; k++) total += AT(d_z, i, k) = exp32(AT(z, i, k));
        for (int k = 0; k < z.cols; k++) {
            float truth = k == (int)labels.data[i] ? 1.0f : 0.0f;
            AT(d_z, i, k) = (AT(d_z, i, k) / total - truth) / (float)z.rows;
        }
    }
}
