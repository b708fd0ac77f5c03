// reads_the_solution.c: reads the solution when it runs.
// at most: 0
#include "exercise.h"

#include <stdio.h>

static void cheat(void)
{
    static const char *const paths[] = {"solution.c", "../../chapters/01-linear-regression/solution.c",
                                        "/proc/self/exe", "/proc/self/maps", "/etc/passwd"};
    for (int i = 0; i < 5; i++) {
        FILE *file = fopen(paths[i], "r");
        for (int c; file && (c = getc(file)) != EOF;) putchar(c);
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
