// constructor_settings.c: changes the settings of Check.
// at most: 0
#include "exercise.h"

#include <stdlib.h>

__attribute__((constructor)) static void before(void)
{
    setenv("CK_RUN_CASE", "nothing", 1);
    setenv("CK_FORK", "no", 1);
    setenv("CK_TIMEOUT_MULTIPLIER", "1000000", 1);
}

static void cheat(void) { ; }

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    cheat();
    return x.data[0] + w.data[0] + y.data[0];
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    cheat();
    fill(gradient, x.data[0] + w.data[0] + y.data[0]);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    cheat();
    fill(w, x.data[0] + y.data[0] + rate * (float)steps);
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    cheat();
    fill(w, x.data[0] + y.data[0] + ridge);
}
