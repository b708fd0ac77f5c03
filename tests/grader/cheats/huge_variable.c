// huge_variable.c: needs more memory than it may have before it starts.
// at most: 0
// expect: compile error
#include "exercise.h"

static char room[300ul << 20];

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    room[x.rows * 1000] = 1;
    return x.data[0] + w.data[0] + y.data[0] + (float)room[x.cols];
}
