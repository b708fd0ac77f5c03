// objects.c: layers as objects with functions of their own, made and destroyed in each call.
#include "exercise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
            AT(d_z, i, k) =
                (float)((exp((double)AT(z, i, k) - top) / total - (k == (int)labels.data[i])) / z.rows);
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

typedef struct Layer Layer;
struct Layer {
    const char *name;
    Matrix w, b, out, d_w, d_b, d_out;
    void (*activation)(Layer *);
    Layer *below;
};

static void no_bend(Layer *layer) { (void)layer; }

static void rectify(Layer *layer)
{
    for (size_t i = 0; i < matrix_size(layer->out); i++)
        if (layer->out.data[i] < 0.0f) layer->out.data[i] = 0.0f;
}

static Layer *layer_new(const char *name, Matrix w, Matrix b, int n, void (*activation)(Layer *),
                        Layer *below)
{
    Layer *layer = malloc(sizeof *layer);
    size_t size = (size_t)n * (size_t)w.cols;
    *layer = (Layer){.name = strdup(name), .w = w, .b = b, .activation = activation, .below = below};
    layer->out = matrix_view(n, w.cols, memset(malloc(size * sizeof(float)), 0, size * sizeof(float)));
    layer->d_out = matrix_view(n, w.cols, calloc(size, sizeof(float)));
    return layer;
}

static void layer_free(Layer *layer)
{
    if (!layer) return;
    layer_free(layer->below);
    free((char *)layer->name);
    free(layer->out.data);
    free(layer->d_out.data);
    free(layer);
}

static Matrix forward(Layer *layer, Matrix x)
{
    matmul(layer->out, layer->below ? forward(layer->below, x) : x, layer->w);
    add_row(layer->out, layer->b);
    layer->activation(layer);
    return layer->out;
}

void mlp_gradients(Matrix d_w1, Matrix d_b1, Matrix d_w2, Matrix d_b2, Matrix x, Matrix labels, Matrix w1,
                   Matrix b1, Matrix w2, Matrix b2)
{
    Layer *hidden = layer_new("hidden", w1, b1, x.rows, rectify, NULL);
    Layer *output = layer_new("output", w2, b2, x.rows, no_bend, hidden);
    mlp_output_gradient(output->d_out, forward(output, x), labels);
    mlp_hidden_gradient(hidden->d_out, output->d_out, w2, hidden->out);
    matmul_tn(d_w2, hidden->out, output->d_out);
    matmul_tn(d_w1, x, hidden->d_out);
    column_sums(d_b2, output->d_out);
    column_sums(d_b1, hidden->d_out);
    layer_free(output);
}

void mlp_train(Matrix w1, Matrix b1, Matrix w2, Matrix b2, Matrix x, Matrix labels, float rate, int steps)
{
    size_t counts[4] = {matrix_size(w1), matrix_size(b1), matrix_size(w2), matrix_size(b2)}, all = 0;
    for (int p = 0; p < 4; p++) all += counts[p];
    float *slopes = malloc(all * sizeof *slopes); // all four in one block
    float *d_b1 = slopes + counts[0], *d_w2 = d_b1 + counts[1], *d_b2 = d_w2 + counts[2];
    Matrix d[4] = {
        {w1.rows, w1.cols, slopes}, {1, b1.cols, d_b1}, {w2.rows, w2.cols, d_w2}, {1, b2.cols, d_b2}};
    for (int step = 0; step < steps; step++) {
        mlp_gradients(d[0], d[1], d[2], d[3], x, labels, w1, b1, w2, b2);
        float *const parts[4] = {w1.data, b1.data, w2.data, b2.data};
        for (int p = 0; p < 4; p++)
            for (size_t i = 0; i < counts[p]; i++) parts[p][i] -= rate * d[p].data[i];
    }
    free(slopes);
}
