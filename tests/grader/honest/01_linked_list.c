// linked_list.c: a list of products, longer than a worker once had blocks for.
#include "exercise.h"

#include <stdlib.h>

struct link {
    float product;
    struct link *next;
};

static struct link *push(struct link *head, float product)
{
    struct link *link = malloc(sizeof *link);
    link->product = product;
    link->next = head;
    return link;
}

static double pop_all(struct link *head)
{
    double total = 0.0;
    while (head) {
        struct link *next = head->next;
        total += (double)head->product;
        free(head);
        head = next;
    }
    return total;
}

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        total += error * error;
    }
    return (float)(total / 2.0 / x.rows);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    struct link *lists[MAX_FEATURES] = {NULL}, *zeros = NULL;
    for (int i = 0; i < 30000; i++) zeros = push(zeros, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        struct link *terms = push(NULL, -y.data[i]);
        for (int j = 0; j < x.cols; j++) terms = push(terms, AT(x, i, j) * w.data[j]);
        float error = (float)pop_all(terms);
        for (int j = 0; j < x.cols; j++) lists[j] = push(lists[j], AT(x, i, j) * error);
    }
    for (int j = 0; j < x.cols; j++) gradient.data[j] = (float)(pop_all(lists[j]) / x.rows);
    gradient.data[0] += (float)pop_all(zeros);
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    for (int step = 0; step < steps; step++) {
        double slope[MAX_FEATURES] = {0};
        for (int i = 0; i < x.rows; i++) {
            double error = -(double)y.data[i];
            for (int j = 0; j < x.cols; j++) error += (double)(AT(x, i, j) * w.data[j]);
            for (int j = 0; j < x.cols; j++) slope[j] += (double)AT(x, i, j) * error / x.rows;
        }
        for (int j = 0; j < w.rows; j++) w.data[j] -= rate * (float)slope[j];
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
