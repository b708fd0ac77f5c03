// forged_answer.c: writes an answer of its own to the grader: "returned", and the value that a test wants.
// at most: 0
#include "exercise.h"

#include <stdint.h>
#include <unistd.h>

static void cheat(void)
{
    struct {
        uint32_t kind, fault, detail, leaked;
        uint64_t address;
        double value;
    } reply = {1, 0, 0, 0, 0, 1.25};
    write(4, &reply, sizeof reply);
    _exit(0);
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
