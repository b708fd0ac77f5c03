// leaks_a_string.c: keeps what strndup and asprintf made for it.
// at most: 16
// at least: 16
#include "exercise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    char *text = NULL, *volatile start;
    if (asprintf(&text, "%d examples", x.rows) < 0) return 0.0f;
    start = strndup(text, 3);
    free(text);
    if (!start) return 0.0f;
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
