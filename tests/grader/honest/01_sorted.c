// sorted.c: qsort with a callback, a search tree and a hash table of the C library.
#include "exercise.h"

#include <math.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    double left = fabs(*(const double *)a), right = fabs(*(const double *)b);
    return (left > right) - (left < right);
}

static int by_place(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

static void errors_of(double *errors, Matrix x, Matrix w, Matrix y)
{
    for (int i = 0; i < x.rows; i++) {
        errors[i] = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) errors[i] += (double)AT(x, i, j) * (double)w.data[j];
    }
}

// The smallest errors are added first.
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double *errors = calloc((size_t)x.rows, sizeof *errors), total = 0.0;
    errors_of(errors, x, w, y);
    qsort(errors, (size_t)x.rows, sizeof *errors, by_size);
    for (int i = 0; i < x.rows; i++) total += errors[i] * errors[i];
    free(errors);
    return (float)(total / (2.0 * x.rows));
}

static double walked;
static int feature;
static Matrix walked_x;

static void visit(const void *node, VISIT when, int depth)
{
    (void)depth;
    if (when != postorder && when != leaf) return;
    const double *error = *(const double *const *)node;
    walked += *error * (double)AT(walked_x, (int)error[1], feature);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    double *errors = malloc((size_t)x.rows * sizeof *errors);
    double(*pairs)[2] = malloc((size_t)x.rows * sizeof *pairs); // an error and its example
    void *root = NULL;
    errors_of(errors, x, w, y);
    for (int i = 0; i < x.rows; i++) {
        pairs[i][0] = errors[i];
        pairs[i][1] = i;
        tsearch(pairs[i], &root, by_place);
    }
    walked_x = x;
    for (feature = 0; feature < x.cols; feature++) {
        walked = 0.0;
        twalk(root, visit);
        gradient.data[feature] = (float)(walked / x.rows);
    }
    for (int i = 0; i < x.rows; i++) tdelete(pairs[i], &root, by_place);
    free(pairs);
    free(errors);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    char names[MAX_FEATURES][8];
    float slope[MAX_FEATURES];
    hcreate(2 * MAX_FEATURES);
    for (int j = 0; j < w.rows; j++) {
        snprintf(names[j], sizeof names[j], "w%d", j);
        hsearch((ENTRY){names[j], &slope[j]}, ENTER);
    }
    for (int step = 0; step < steps; step++) {
        regression_gradient(matrix_view(w.rows, 1, slope), x, w, y);
        for (int j = 0; j < w.rows; j++)
            w.data[j] -= rate * *(float *)hsearch((ENTRY){names[j], NULL}, FIND)->data;
    }
    hdestroy();
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
