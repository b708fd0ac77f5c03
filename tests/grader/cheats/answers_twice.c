// answers_twice.c: leaks, and writes its answer itself, which says that nothing leaked; then serves the next requests
// from inside of its call. The answer is right: it loses the fifth that a leak costs.
// at most: 16
#include "exercise.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static float loss_of(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}

struct reply {
    uint32_t kind, fault, detail, leaked;
    uint64_t address;
    double value;
};

int main(void);

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    float *volatile kept = malloc(100 * sizeof *kept);
    if (!kept) return 0.0f;
    struct reply reply = {1, 0, 0, 0, 0, loss_of(x, w, y)};
    write(4, &reply, sizeof reply);
    write(4, x.data, sizeof(float) * (size_t)(x.rows * x.cols));
    write(4, w.data, sizeof(float) * (size_t)(w.rows * w.cols));
    write(4, y.data, sizeof(float) * (size_t)(y.rows * y.cols));
    exit(main());
}
