// 7.4-sum-not-reset.c: the sum of one row runs on into the next.
// expect-fail: 7.4
#include "exercise.h"

void softmax_gives_back(Matrix d_x, Matrix d_y, Matrix y)
{
    float weighted = 0.0f;
    for (int i = 0; i < y.rows; i++) {
        for (int j = 0; j < y.cols; j++) weighted += AT(d_y, i, j) * AT(y, i, j);
        for (int k = 0; k < y.cols; k++) AT(d_x, i, k) += AT(y, i, k) * (AT(d_y, i, k) - weighted);
    }
}
