// 2.5-all-pairs.c: right, and far too slow for 200 000 scores.
// expect-fail: 2.5
#include "exercise.h"

float area_under_curve(Matrix scores, Matrix y)
{
    double won = 0.0, pairs = 0.0;
    for (int i = 0; i < y.rows; i++) {
        if (y.data[i] < 0.5f) continue;
        float zeros = 0.0f, below = 0.0f, beside = 0.0f;
        for (int j = 0; j < y.rows; j++) {
            zeros += 1.0f - y.data[j];
            below += scores.data[j] < scores.data[i] ? 1.0f - y.data[j] : 0.0f;
            beside += scores.data[j] == scores.data[i] ? 1.0f - y.data[j] : 0.0f;
        }
        won += (double)below + 0.5 * (double)beside;
        pairs += (double)zeros;
    }
    return (float)(won / pairs);
}
