// daemon_rewrites_results.c: a child in a session of its own writes results when the run is over.
// at most: 0
// expect: forbidden
#include "exercise.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void cheat(void)
{
    if (fork() == 0) {
        setsid();
        sleep(3);
        FILE *file = fopen("grades.csv", "w");
        if (file) fputs("\"me\",\"100\"\n", file);
        exit(0);
    }
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
