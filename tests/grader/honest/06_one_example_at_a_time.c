// one_example_at_a_time.c: no matrix of hidden units: one example after the other, in arrays on the stack.
#include "exercise.h"

#include <math.h>

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

typedef struct {
    Matrix w1, b1, w2, b2;
} Net;

// Adds what one example gives to the gradient.
static void learn(Net d, Net net, const float *x, int label, int n)
{
    int inputs = net.w1.rows, hidden = net.w1.cols, classes = net.w2.cols;
    double h[MAX_UNITS], z[MAX_UNITS], total = 0.0, top = -INFINITY;
    for (int j = 0; j < hidden; j++) {
        h[j] = (double)net.b1.data[j];
        for (int k = 0; k < inputs; k++) h[j] += (double)x[k] * (double)AT(net.w1, k, j);
        h[j] = fmax(h[j], 0.0);
    }
    for (int k = 0; k < classes; k++) {
        z[k] = (double)net.b2.data[k];
        for (int j = 0; j < hidden; j++) z[k] += h[j] * (double)AT(net.w2, j, k);
        top = fmax(top, z[k]);
    }
    for (int k = 0; k < classes; k++) total += z[k] = exp(z[k] - top);
    for (int k = 0; k < classes; k++) {
        z[k] = (z[k] / total - (k == label)) / n; // from here on the gradient
        d.b2.data[k] += (float)z[k];
        for (int j = 0; j < hidden; j++) AT(d.w2, j, k) += (float)(h[j] * z[k]);
    }
    for (int j = 0; j < hidden; j++) {
        if (!(h[j] > 0.0)) continue;
        double back = 0.0;
        for (int k = 0; k < classes; k++) back += z[k] * (double)AT(net.w2, j, k);
        d.b1.data[j] += (float)back;
        for (int k = 0; k < inputs; k++) AT(d.w1, k, j) += (float)(back * (double)x[k]);
    }
}

void mlp_gradients(Matrix d_w1, Matrix d_b1, Matrix d_w2, Matrix d_b2, Matrix x, Matrix labels, Matrix w1,
                   Matrix b1, Matrix w2, Matrix b2)
{
    Net d = {d_w1, d_b1, d_w2, d_b2}, net = {w1, b1, w2, b2};
    for (Matrix *m = &d.w1; m <= &d.b2; m++) fill(*m, 0.0f);
    for (int i = 0; i < x.rows; i++) learn(d, net, matrix_row(x, i), (int)labels.data[i], x.rows);
}

void mlp_train(Matrix w1, Matrix b1, Matrix w2, Matrix b2, Matrix x, Matrix labels, float rate, int steps)
{
    float s1[w1.rows][w1.cols], s2[b1.cols], s3[w2.rows][w2.cols], s4[b2.cols];
    Net d = {{w1.rows, w1.cols, &s1[0][0]}, {1, b1.cols, s2}, {w2.rows, w2.cols, &s3[0][0]}, {1, b2.cols, s4}};
    while (steps --> 0) {
        mlp_gradients(d.w1, d.b1, d.w2, d.b2, x, labels, w1, b1, w2, b2);
        add_scaled(w1, -rate, d.w1), add_scaled(b1, -rate, d.b1);
        add_scaled(w2, -rate, d.w2), add_scaled(b2, -rate, d.b2);
    }
}
