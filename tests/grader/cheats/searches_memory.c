// searches_memory.c: looks for the expected answer in its own memory.
// at most: 0
#include "exercise.h"

#include <string.h>

static int edata_;
static const char *volatile found;

static void cheat(void)
{
    const char *secret = "reference";
    for (const char *at = (const char *)&edata_; at < (const char *)&edata_ + (1 << 20); at++)
        if (memcmp(at, secret, 9) == 0) found = at;
}

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
