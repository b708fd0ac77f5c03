// static_tables.c: constant tables, static arrays that stay, and global helpers with everyday names.
#include "exercise.h"

#include <string.h>

// Names that the grader and the C library use as well, each for something of its own.
int in_use, fresh, answer;
double blocks[MAX_FEATURES];
static const double half[] = {[0] = 0.5, [1] = 1.0};
static const char *const tasks[] = {"loss", "gradient", "descend", "ridge"};
double find(Matrix x, Matrix w, Matrix y, int i);
double take(const double *from, int count);
void serve(const char *task);

double find(Matrix x, Matrix w, Matrix y, int i)
{
    for (int j = 0; j < x.cols; j++) blocks[j] = (double)AT(x, i, j) * (double)w.data[j];
    return take(blocks, x.cols) - (double)y.data[i];
}

double take(const double *from, int count)
{
    double sum = 0.0;
    while (count > 0) sum += from[--count];
    return sum;
}

void serve(const char *task)
{
    static int calls[4];
    for (int t = 0; t < 4; t++)
        if (strcmp(task, tasks[t]) == 0) answer = ++calls[t];
    fresh = answer > 0;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    static double squares[1000];
    serve(tasks[0]);
    for (in_use = 0; in_use < x.rows; in_use++) {
        double error = find(x, w, y, in_use);
        squares[in_use] = error * error;
    }
    return (float)(half[0] * take(squares, x.rows) / x.rows);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    static double sums[MAX_FEATURES];
    serve(tasks[1]);
    memset(sums, 0, sizeof sums);
    for (int i = 0; i < x.rows; i++) {
        double error = find(x, w, y, i);
        for (int j = 0; j < x.cols; j++) sums[j] += error * (double)AT(x, i, j);
    }
    for (int j = 0; j < x.cols; j++) gradient.data[j] = (float)(half[1] * sums[j] / x.rows);
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
