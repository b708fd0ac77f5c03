// 2.4-missing-one-over-n.c: the sum is not divided by the number of examples.
// expect-fail: 2.4
#include "exercise.h"

void softmax_gradient(Matrix gradient, Matrix x, Matrix w, Matrix labels)
{
    float values[MAX_CLASSES];
    Matrix p = matrix_view(1, w.cols, values);
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        matmul(p, matrix_rows(x, i, 1), w);
        softmax_of_rows(p, p);
        values[(int)labels.data[i]] -= 1.0f;
        for (int j = 0; j < x.cols; j++)
            for (int k = 0; k < w.cols; k++) AT(gradient, j, k) += AT(x, i, j) * values[k];
    }
}
