// hundred_thousand_nodes.c: a balanced tree of 131,071 nodes, each with a malloc of its own, for one loss.
#include "exercise.h"

#include <stdlib.h>

typedef struct Sum {
    struct Sum *left, *right;
    double value;
} Sum;

static Sum *grow(int depth)
{
    Sum *sum = calloc(1, sizeof *sum);
    if (!sum) exit(1);
    if (depth > 0) {
        sum->left = grow(depth - 1);
        sum->right = grow(depth - 1);
    }
    return sum;
}

// Puts the value into the leaf that the bits of the number lead to.
static void put(Sum *sum, unsigned number, double value)
{
    for (; sum->left; number >>= 1) sum = number & 1 ? sum->right : sum->left;
    sum->value += value;
}

static double total_of(const Sum *sum)
{
    return sum ? sum->value + total_of(sum->left) + total_of(sum->right) : 0.0;
}

static void fell(Sum *sum)
{
    if (!sum) return;
    fell(sum->left);
    fell(sum->right);
    free(sum);
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    Sum *root = grow(16);
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        put(root, (unsigned)i * 2654435761u, error * error);
    }
    float loss = (float)(total_of(root) / (2.0 * x.rows));
    fell(root);
    return loss;
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
