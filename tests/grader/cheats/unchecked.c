// unchecked.c: switches off what would find its errors.
// at most: 0
// expect: memory error
#include "exercise.h"

#pragma GCC optimize("O0")

__attribute__((no_sanitize("undefined"), optimize("no-stack-protector"))) float
regression_loss(Matrix x, Matrix w, Matrix y)
{
    float total = 0.0f;
    for (int i = -1000; i < 1000; i++) total += x.data[i];
    return total + w.data[0] + y.data[0];
}
