// leaks_a_stream.c: closes a stream into memory and keeps its text.
// at most: 16
// at least: 16
#include "exercise.h"

#include <stdio.h>

// A right answer, less a fifth of its 20 points for what is never given back.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    fprintf(stream, "%d examples", x.rows);
    fclose(stream);
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}
