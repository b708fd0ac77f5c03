// fills_its_output.c: prints into the file of its output without end, at the same place again and again.
// at most: 0
// expect: time limit, crashed
#include "exercise.h"

#include <unistd.h>

static void cheat(void)
{
    static char page[65536];
    for (;;) {
        lseek(1, 0, SEEK_SET);
        write(1, page, sizeof page);
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
