// strings.c: numbers that travel as text: asprintf, strndup, strdup, open_memstream and getline.
#include "exercise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Each number on a line of its own, exactly. The caller frees the text.
static char *written(Matrix m)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    for (size_t i = 0; i < matrix_size(m); i++) fprintf(stream, "%a\n", (double)m.data[i]);
    fclose(stream);
    return text;
}

static void read_back(double *numbers, const char *text)
{
    FILE *stream = fmemopen((char *)text, strlen(text), "r");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stream) > 0) *numbers++ = strtod(line, NULL);
    free(line);
    fclose(stream);
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    char *texts[] = {written(x), written(w), written(y)};
    double *numbers = malloc((matrix_size(x) + matrix_size(w) + matrix_size(y)) * sizeof *numbers);
    double *weights = numbers + matrix_size(x), *targets = weights + matrix_size(w), total = 0.0;
    read_back(numbers, texts[0]);
    read_back(weights, texts[1]);
    read_back(targets, texts[2]);
    for (int i = 0; i < x.rows; i++) {
        double error = -targets[i];
        for (int j = 0; j < x.cols; j++) error += numbers[i * x.cols + j] * weights[j];
        total += error * error;
    }
    for (int t = 0; t < 3; t++) free(texts[t]);
    free(numbers);
    return (float)(total / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++) {
            double error = -(double)y.data[i];
            for (int k = 0; k < x.cols; k++) error += (double)AT(x, i, k) * (double)w.data[k];
            sum += error * (double)AT(x, i, j);
        }
        char *text, *first, *second = strdup("");
        if (asprintf(&text, "%.17g and what follows", sum / x.rows) < 0) abort();
        first = strndup(text, strcspn(text, " "));
        gradient.data[j] = strtof(first, NULL);
        free(first);
        free(second);
        free(text);
    }
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
