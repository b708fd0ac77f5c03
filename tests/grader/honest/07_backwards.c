// backwards.c: recursion where others loop, and dual numbers where others go backwards.
#include "exercise.h"

#include <stdlib.h>

void tape_divide(Matrix line, float a, float b)
{
    double quotient = (double)a / (double)b;
    line.data[0] = (float)quotient;
    line.data[1] = (float)(1.0 / (double)b);
    line.data[2] = (float)(-quotient / (double)b);
}

static void play_from(Matrix gradients, Matrix tape, int i)
{
    if (i < 0) return;
    for (int k = 1; k >= 0; k--)
        if (AT(tape, i, k) >= 0.0f) gradients.data[(int)AT(tape, i, k)] += gradients.data[i] * AT(tape, i, 2 + k);
    play_from(gradients, tape, i - 1);
}

void tape_play_backwards(Matrix gradients, Matrix tape)
{
    fill(gradients, 0.0f);
    AT(gradients, tape.rows - 1, 0) += 1.0f;
    play_from(gradients, tape, tape.rows - 1);
}

void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    for (int i = 0; i < a.rows; i++)
        for (int k = 0; k < a.cols; k++)
            for (int j = 0; j < b.cols; j++) {
                AT(d_a, i, k) += AT(d_y, i, j) * AT(b, k, j);
                AT(d_b, k, j) += AT(a, i, k) * AT(d_y, i, j);
            }
}

void softmax_gives_back(Matrix d_x, Matrix d_y, Matrix y)
{
    for (int i = 0; i < y.rows; i++)
        for (int k = 0; k < y.cols; k++) {
            double sum = 0.0;
            for (int j = 0; j < y.cols; j++)
                sum += (double)AT(d_y, i, j) * (double)AT(y, i, j) * ((j == k) - (double)AT(y, i, k));
            AT(d_x, i, k) += (float)sum;
        }
}

typedef struct {
    double value, slope;
} Dual;

static Dual *layer(const Dual *in, Matrix w)
{
    Dual *out = malloc((size_t)w.cols * sizeof *out);
    for (int j = 0; j < w.cols; j++) {
        Dual sum = {0};
        for (int i = 0; i < w.rows; i++) {
            sum.value += in[i].value * (double)AT(w, i, j);
            sum.slope += in[i].slope * (double)AT(w, i, j);
        }
        out[j] = sum.value > 0.0 ? sum : (Dual){0};
    }
    return out;
}

// One run forwards for each of the inputs.
float chain_gradient(Matrix d_x, Matrix x, Matrix w1, Matrix w2)
{
    double value = 0.0;
    for (int i = 0; i < x.cols; i++) {
        Dual *in = calloc((size_t)x.cols, sizeof *in);
        for (int k = 0; k < x.cols; k++) in[k] = (Dual){(double)x.data[k], k == i};
        Dual *h = layer(in, w1), *z = layer(h, w2), f = {0};
        for (int k = 0; k < w2.cols; k++) {
            f.value += z[k].value * z[k].value;
            f.slope += 2.0 * z[k].value * z[k].slope;
        }
        d_x.data[i] = (float)f.slope;
        value = f.value;
        free(z);
        free(h);
        free(in);
    }
    return (float)value;
}
