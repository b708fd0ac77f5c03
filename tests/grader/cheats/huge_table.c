// huge_table.c: a table that is short to write and long to write out.
// at most: 0
// expect: compile error rejected
#include "exercise.h"

static const int table[1 << 24] = {[0 ...(1 << 24) - 1] = 5, [77] = 6};

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    return x.data[0] + w.data[0] + y.data[0] + (float)table[x.rows * 1000];
}
