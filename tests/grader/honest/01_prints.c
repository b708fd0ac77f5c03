// prints.c: talks while it works, to both streams, and asserts what it believes.
#include "exercise.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    assert(x.rows == y.rows && x.cols == w.rows && w.cols == 1);
    printf("loss of %d examples with %d features\n", x.rows, x.cols);
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
        printf("%4d %+.17g %a %-12.3Le|%n\n", i, error, error, (long double)total, &(int){0});
    }
    fprintf(stderr, "total %f\n", total);
    fputs("one string, ", stdout), putchar('\n'), puts("and another");
    fflush(stdout);
    return (float)(total / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    FILE *file = fopen("a file that is not there", "r");
    if (file) fclose(file);
    int why = errno;
    fprintf(stderr, "%s, %s\n", strerror(why), strerror(12345));
    errno = why;
    perror("regression_gradient");
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++) {
            double error = -(double)y.data[i];
            for (int k = 0; k < x.cols; k++) error += (double)AT(x, i, k) * (double)w.data[k];
            sum += error * (double)AT(x, i, j);
        }
        gradient.data[j] = (float)(sum / x.rows);
    }
    matrix_print(stdout, "gradient", gradient, 3);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    time_t now = time(NULL);
    clock_t before = clock();
    char text[64];
    struct tm *local = localtime(&now);
    if (local) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", local), printf("%s\n", text);
    float values[MAX_FEATURES];
    for (int step = 0; step < steps; step++) {
        regression_gradient(matrix_view(w.rows, 1, values), x, w, y);
        for (int j = 0; j < w.rows; j++) w.data[j] -= rate * values[j];
        if (step % 10 == 0) fprintf(stderr, "\rstep %d, loss %g", step, (double)regression_loss(x, w, y));
    }
    printf("%" PRId64 " ticks\n", (int64_t)(clock() - before));
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
