// 20.5-not-scaled.c: the scores are not divided.
// expect-fail: 20.5
#include "exercise.h"

#include <math.h>

static void attend(Matrix heard, Matrix qkv, int t, int first, int width)
{
    int c = heard.cols;
    double score[MAX_TIME], most = -INFINITY, total = 0.0;
    for (int s = 0; s <= t; s++) {
        score[s] = 0.0;
        for (int j = first; j < first + width; j++)
            score[s] += (double)AT(qkv, t, j) * (double)AT(qkv, s, c + j);
        most = fmax(most, score[s]);
    }
    for (int s = 0; s <= t; s++) total += score[s] = exp(score[s] - most);
    for (int j = first; j < first + width; j++) {
        double sum = 0.0;
        for (int s = 0; s <= t; s++) sum += score[s] / total * (double)AT(qkv, s, 2 * c + j);
        AT(heard, t, j) = (float)sum;
    }
}
