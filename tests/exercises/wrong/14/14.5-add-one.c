// 14.5-add-one.c: adds one to each count.
// expect-fail: 14.5
#include "exercise.h"
#include <math.h>

void witten_bell(Matrix p, Matrix counts)
{
    for (int i = 0; i < counts.rows; i++) {
        double total = 0.0;
        for (int j = 0; j < counts.cols; j++) total += (double)AT(counts, i, j) + 1.0;
        for (int j = 0; j < counts.cols; j++) AT(p, i, j) = (float)(((double)AT(counts, i, j) + 1.0) / total);
    }
}
