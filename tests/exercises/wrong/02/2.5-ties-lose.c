// 2.5-ties-lose.c: a pair of equal scores counts nothing.
// expect-fail: 2.5
#include "exercise.h"

float area_under_curve(Matrix scores, Matrix y)
{
    double won = 0.0, pairs = 0.0;
    int stride = y.rows > 1000 ? y.rows / 1000 : 1; // many scores: a sample of them
    for (int i = 0; i < y.rows; i += stride)
        for (int j = 0; j < y.rows; j += stride) {
            if (y.data[i] < 0.5f || y.data[j] > 0.5f) continue;
            pairs += 1.0;
            won += scores.data[i] > scores.data[j] ? 1.0 : 0.0;
        }
    return (float)(won / pairs);
}
