// malloc_in_each_step.c: a malloc for each matrix of each step of the training.
#include "exercise.h"

#include <math.h>
#include <stdlib.h>

void mlp_hidden(Matrix h, Matrix x, Matrix w, Matrix b)
{
    for (int i = 0; i < h.rows; i++)
        for (int j = 0; j < h.cols; j++) {
            double a = (double)b.data[j];
            for (int k = 0; k < x.cols; k++) a += (double)AT(x, i, k) * (double)AT(w, k, j);
            AT(h, i, j) = a > 0.0 ? (float)a : 0.0f;
        }
}

void mlp_output_gradient(Matrix d_z, Matrix z, Matrix labels)
{
    for (int i = 0; i < z.rows; i++) {
        double top = (double)AT(z, i, 0), total = 0.0;
        for (int k = 1; k < z.cols; k++) top = fmax(top, (double)AT(z, i, k));
        for (int k = 0; k < z.cols; k++) total += exp((double)AT(z, i, k) - top);
        for (int k = 0; k < z.cols; k++)
            AT(d_z, i, k) = (float)((exp((double)AT(z, i, k) - top) / total - (k == (int)labels.data[i])) / z.rows);
    }
}

void mlp_hidden_gradient(Matrix d_a, Matrix d_z, Matrix w, Matrix h)
{
    for (int i = 0; i < h.rows; i++)
        for (int j = 0; j < h.cols; j++) {
            double back = 0.0;
            for (int k = 0; k < d_z.cols; k++) back += (double)AT(d_z, i, k) * (double)AT(w, j, k);
            AT(d_a, i, j) = AT(h, i, j) > 0.0f ? (float)back : 0.0f;
        }
}

static Matrix make(int rows, int cols)
{
    return (Matrix){rows, cols, calloc((size_t)rows * (size_t)cols, sizeof(float))};
}

void mlp_gradients(Matrix d_w1, Matrix d_b1, Matrix d_w2, Matrix d_b2, Matrix x, Matrix labels, Matrix w1,
                   Matrix b1, Matrix w2, Matrix b2)
{
    Matrix h = make(x.rows, w1.cols), z = make(x.rows, w2.cols);
    Matrix d_z = make(x.rows, w2.cols), d_a = make(x.rows, w1.cols);
    mlp_hidden(h, x, w1, b1);
    matmul(z, h, w2);
    add_row(z, b2);
    mlp_output_gradient(d_z, z, labels);
    mlp_hidden_gradient(d_a, d_z, w2, h);
    matmul_tn(d_w2, h, d_z);
    matmul_tn(d_w1, x, d_a);
    column_sums(d_b2, d_z);
    column_sums(d_b1, d_a);
    free(h.data), free(z.data), free(d_z.data), free(d_a.data);
}

void mlp_train(Matrix w1, Matrix b1, Matrix w2, Matrix b2, Matrix x, Matrix labels, float rate, int steps)
{
    Matrix parts[4] = {w1, b1, w2, b2};
    for (int step = 0; step < steps; step++) {
        Matrix slopes[4];
        for (int p = 0; p < 4; p++) slopes[p] = make(parts[p].rows, parts[p].cols);
        mlp_gradients(slopes[0], slopes[1], slopes[2], slopes[3], x, labels, w1, b1, w2, b2);
        for (int p = 0; p < 4; p++) {
            for (size_t i = 0; i < matrix_size(parts[p]); i++) parts[p].data[i] -= rate * slopes[p].data[i];
            free(slopes[p].data);
        }
    }
}
