// 9.5-branch-forgotten.c: only the road hands the gradient down.
// expect-fail: 9.5
#include "exercise.h"

void tower_gradient(Matrix d, Matrix x, Matrix w)
{
    (void)d, (void)x, (void)w; // it is there already
}
