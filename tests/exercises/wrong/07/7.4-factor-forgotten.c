// 7.4-factor-forgotten.c: not multiplied by y.
// expect-fail: 7.4
#include "exercise.h"

void softmax_gives_back(Matrix d_x, Matrix d_y, Matrix y)
{
    for (int i = 0; i < y.rows; i++) {
        float weighted = 0.0f;
        for (int j = 0; j < y.cols; j++) weighted += AT(d_y, i, j) * AT(y, i, j);
        for (int k = 0; k < y.cols; k++) AT(d_x, i, k) += AT(d_y, i, k) - weighted;
    }
}
