// leaks_a_tree.c: keeps the nodes of a search tree of the C library.
// at most: 16
// at least: 16
#include "exercise.h"

#include <search.h>

static int compare(const void *a, const void *b) { return (a > b) - (a < b); }

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    void *root = NULL;
    for (int i = 0; i < x.rows; i++) tsearch(&y.data[i], &root, compare);
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
