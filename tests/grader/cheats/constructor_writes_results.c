// constructor_writes_results.c: writes result files before main.
// at most: 0
// expect: crashed
#include "exercise.h"

#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void before(void)
{
    FILE *file = fopen("results.json", "w");
    if (file) fputs("{\"score\": 100}", file);
    if (file) fclose(file);
    puts("{\"scores\": {\"1.1\": 100}}");
    _exit(0);
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
