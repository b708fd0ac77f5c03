// reallocarray.c: arrays that reallocarray doubles, shrinks and gives back.
#include "exercise.h"

#include <stdlib.h>

typedef struct {
    double *items;
    size_t count, room;
} Stack;

static void push(Stack *stack, double item)
{
    if (stack->count == stack->room) {
        stack->room = stack->room ? 2 * stack->room : 1;
        stack->items = reallocarray(stack->items, stack->room, sizeof *stack->items);
    }
    stack->items[stack->count++] = item;
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
    Stack errors = {0};
    for (int i = 0; i < x.rows; i++) {
        double error = -(double)y.data[i];
        for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
        push(&errors, error);
    }
    while (errors.count < 40000) push(&errors, 0.0);
    errors.items = reallocarray(errors.items, (size_t)x.rows, sizeof *errors.items);
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++) sum += (double)AT(x, i, j) * errors.items[i];
        gradient.data[j] = (float)(sum / x.rows);
    }
    errors.items = realloc(errors.items, 0); // which is a free
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float *slope = reallocarray(NULL, (size_t)w.rows, sizeof *slope);
    for (int step = 0; step < steps; step++) {
        for (int j = 0; j < w.rows; j++) slope[j] = 0.0f;
        for (int i = 0; i < x.rows; i++) {
            float error = -y.data[i];
            for (int j = 0; j < x.cols; j++) error += AT(x, i, j) * w.data[j];
            for (int j = 0; j < x.cols; j++) slope[j] += AT(x, i, j) * error;
        }
        for (int j = 0; j < w.rows; j++) w.data[j] -= rate * slope[j] / (float)x.rows;
    }
    free(slope);
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
