// flexible.c: structs with an array of open length, bit-fields, enums and a linked chain of them.
#include "exercise.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum state { WAITING, READY = 2, DONE = READY << 1 };

struct example {
    struct example *next;
    unsigned state : 3, number : 29;
    double target;
    float features[];
};

static struct example *examples_of(Matrix x, Matrix y)
{
    struct example *first = NULL, **last = &first;
    for (int i = 0; i < x.rows; i++) {
        size_t bytes = (size_t)x.cols * sizeof(float);
        struct example *e = malloc(offsetof(struct example, features) + bytes);
        e->next = NULL;
        e->state = i % 2 ? WAITING : READY;
        e->number = (unsigned)i;
        e->target = (double)y.data[i];
        memcpy(e->features, matrix_row(x, i), bytes);
        *last = e;
        last = &e->next;
    }
    return first;
}

// First those that are ready, then those that wait; each is given back as it is done.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    struct example *first = examples_of(x, y);
    double total = 0.0;
    for (enum state wanted = READY; first; wanted = WAITING)
        for (struct example **at = &first; *at;) {
            struct example *e = *at;
            if (e->state != wanted) {
                at = &e->next;
                continue;
            }
            double error = -e->target;
            for (int j = 0; j < x.cols; j++) error += (double)e->features[j] * (double)w.data[j];
            total += error * error;
            e->state = DONE;
            *at = e->next;
            free(e);
        }
    return (float)(total / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    double sums[MAX_FEATURES] = {0};
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        for (int j = 0; j < x.cols; j++) sums[j] += error * (double)AT(x, i, j);
    }
    for (int j = 0; j < x.cols; j++) gradient.data[j] = (float)(sums[j] / x.rows);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix slope = {w.rows, 1, values};
    while (steps-- > 0) {
        regression_gradient(slope, x, w, y);
        for (int j = 0; j < w.rows; j++) w.data[j] -= rate * values[j];
    }
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    int d = x.cols;
    double a[MAX_FEATURES][MAX_FEATURES + 1] = {{0}};
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < d; j++)
            for (int k = 0; k <= d; k++)
                a[j][k] += (double)AT(x, i, j) * (double)(k < d ? AT(x, i, k) : y.data[i]) / x.rows;
    for (int j = 0; j < d; j++) a[j][j] += (double)ridge;
    for (int p = 0; p < d; p++) // Gauss and Jordan
        for (int j = 0; j < d; j++) {
            if (j == p) continue;
            double factor = a[j][p] / a[p][p];
            for (int k = p; k <= d; k++) a[j][k] -= factor * a[p][k];
        }
    for (int j = 0; j < d; j++) w.data[j] = (float)(a[j][d] / a[j][j]);
}
