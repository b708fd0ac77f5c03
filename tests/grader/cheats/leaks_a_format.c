// leaks_a_format.c: keeps what asprintf made for it.
// at most: 16
// at least: 16
#include "exercise.h"

#include <stdio.h>

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    char *text;
    if (asprintf(&text, "%d examples", x.rows) < 0) return 0.0f;
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
