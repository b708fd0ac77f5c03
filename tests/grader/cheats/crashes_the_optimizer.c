// crashes_the_optimizer.c: asks for passes and processors that do not go together.
// at most: 0
#include "exercise.h"

__attribute__((optimize("O3,no-tree-dce,unroll-all-loops,split-stack,mcmodel=large"))) float
regression_loss(Matrix x, Matrix w, Matrix y)
{
    return x.data[0] + w.data[0] + y.data[0];
}
