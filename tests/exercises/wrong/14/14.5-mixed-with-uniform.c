// 14.5-mixed-with-uniform.c: mixes the pairs with 1/K instead of the single characters.
// expect-fail: 14.5
#include "exercise.h"
#include <math.h>

void witten_bell(Matrix p, Matrix counts)
{
    int k = counts.cols;
    double all = 0.0, kinds = 0.0;
    for (int j = 0; j < k; j++) {
        double times = 0.0;
        for (int i = 0; i < k; i++) times += (double)AT(counts, i, j);
        all += times;
        if (times > 0.0) kinds += 1.0;
    }
    for (int j = 0; j < k; j++) {
        double times = 0.0;
        for (int i = 0; i < k; i++) times += (double)AT(counts, i, j);
        double single = (times + kinds / k) / (all + kinds);
        for (int i = 0; i < k; i++) AT(p, i, j) = (float)single;
    }
    for (int i = 0; i < k; i++) {
        double total = 0.0, different = 0.0;
        for (int j = 0; j < k; j++) {
            total += (double)AT(counts, i, j);
            if (AT(counts, i, j) > 0.0f) different += 1.0;
        }
        if (total == 0.0) continue;
        for (int j = 0; j < k; j++)
            AT(p, i, j) = (float)(((double)AT(counts, i, j) + different / k) / (total + different));
    }
}
