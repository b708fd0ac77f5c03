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

// One run forwards for each of the inputs.
void product_with_itself(Matrix y, Matrix d_x, Matrix d_y, Matrix x)
{
    int size = x.rows * x.cols;
    Dual *in = calloc((size_t)size, sizeof *in);
    for (int k = 0; k < size; k++) in[k].value = (double)x.data[k];
    for (int k = 0; k < size; k++) {
        double slope = 0.0;
        in[k].slope = 1.0;
        for (int i = 0; i < x.rows; i++)
            for (int j = 0; j < x.rows; j++) {
                Dual sum = {0}, *a = in + i * x.cols, *b = in + j * x.cols;
                for (int l = 0; l < x.cols; l++) {
                    sum.value += a[l].value * b[l].value;
                    sum.slope += a[l].slope * b[l].value + a[l].value * b[l].slope;
                }
                AT(y, i, j) = (float)sum.value;
                slope += (double)AT(d_y, i, j) * sum.slope;
            }
        in[k].slope = 0.0;
        d_x.data[k] += (float)slope;
    }
    free(in);
}
