// tree.c: the errors in a binary tree, a malloc for each of its nodes.
#include "exercise.h"

#include <stdlib.h>

typedef struct Node {
    struct Node *left, *right;
    double error;
} Node;

static void insert(Node **at, double error)
{
    while (*at) at = error < (*at)->error ? &(*at)->left : &(*at)->right;
    *at = malloc(sizeof **at);
    if (!*at) abort();
    **at = (Node){NULL, NULL, error};
}

// Adds up the squares, the smallest error first, and gives the tree back.
static double fold(Node *node)
{
    if (!node) return 0.0;
    double left = fold(node->left);
    double total = left + node->error * node->error + fold(node->right);
    free(node);
    return total;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    Node *root = NULL;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        insert(&root, error);
    }
    return (float)(fold(root) / (2.0 * x.rows));
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
