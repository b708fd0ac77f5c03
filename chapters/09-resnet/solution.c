// Reference answers to the exercises of chapter 9. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 9.1: half of the square stays, the other half is multiplied by slope²: gain² (1 + slope²) / 2 = 1
float keeping_gain(float slope) { return sqrtf(2.0f / (1.0f + slope * slope)); }

// In double: a row may lie far from zero, and what is left of it after the mean is subtracted must keep its digits.
static void row_statistics(double *average, double *deviation, const float *x, int c)
{
    double square = 0.0;
    *average = 0.0;
    for (int j = 0; j < c; j++) *average += (double)x[j] / c;
    for (int j = 0; j < c; j++) square += ((double)x[j] - *average) * ((double)x[j] - *average) / c;
    *deviation = sqrt(square + 1e-5);
}

// TASK 9.2
void normalise(Matrix y, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        double average, deviation;
        row_statistics(&average, &deviation, matrix_row(x, i), x.cols);
        for (int j = 0; j < x.cols; j++) AT(y, i, j) = (float)(((double)AT(x, i, j) - average) / deviation);
    }
}

// TASK 9.3: the gradient without its mean and without its part along the normalised row, divided by the deviation
void normalise_gradient(Matrix d_x, Matrix d_y, Matrix x)
{
    for (int i = 0; i < x.rows; i++) {
        double average, deviation, mean_d = 0.0, along = 0.0;
        row_statistics(&average, &deviation, matrix_row(x, i), x.cols);
        for (int j = 0; j < x.cols; j++) {
            mean_d += (double)AT(d_y, i, j) / x.cols;
            along += (double)AT(d_y, i, j) * ((double)AT(x, i, j) - average) / deviation / x.cols;
        }
        for (int j = 0; j < x.cols; j++) {
            double normal = ((double)AT(x, i, j) - average) / deviation;
            AT(d_x, i, j) = (float)(((double)AT(d_y, i, j) - mean_d - normal * along) / deviation);
        }
    }
}

// f = max(0, normal(h) · w_l)
static void branch(Matrix f, Matrix normal, Matrix h, Matrix w, int layer)
{
    normalise(normal, h);
    matmul(f, normal, matrix_rows(w, layer * h.cols, h.cols));
    for (size_t i = 0; i < matrix_size(f); i++) f.data[i] = fmaxf(0.0f, f.data[i]);
}

// TASK 9.4
void stack_forward(Matrix h, Matrix w)
{
    Arena *arena = arena_new();
    Matrix normal = matrix_new(arena, h.rows, h.cols), f = matrix_new(arena, h.rows, h.cols);
    for (int layer = 0; layer < w.rows / w.cols; layer++) {
        branch(f, normal, h, w, layer);
        add(h, h, f);
    }
    arena_free(arena);
}

// TASK 9.5: what enters each layer is remembered; backwards, the shortcut carries d past the branch, and the branch adds its own
void stack_gradient(Matrix d, Matrix x, Matrix w)
{
    Arena *arena = arena_new();
    int layers = w.rows / w.cols;
    Matrix entered = matrix_new(arena, layers * x.rows, x.cols), h = matrix_copy(arena, x);
    Matrix normal = matrix_new(arena, x.rows, x.cols), f = matrix_new(arena, x.rows, x.cols);
    Matrix d_normal = matrix_new(arena, x.rows, x.cols), d_h = matrix_new(arena, x.rows, x.cols);
    for (int layer = 0; layer < layers; layer++) {
        copy(matrix_rows(entered, layer * x.rows, x.rows), h);
        branch(f, normal, h, w, layer);
        add(h, h, f);
    }
    for (int layer = layers - 1; layer >= 0; layer--) {
        Matrix entering = matrix_rows(entered, layer * x.rows, x.rows);
        branch(f, normal, entering, w, layer);
        for (size_t i = 0; i < matrix_size(f); i++)
            f.data[i] = f.data[i] > 0.0f ? d.data[i] : 0.0f; // now d_f
        matmul_nt(d_normal, f, matrix_rows(w, layer * x.cols, x.cols));
        normalise_gradient(d_h, d_normal, entering);
        add(d, d, d_h);
    }
    arena_free(arena);
}
