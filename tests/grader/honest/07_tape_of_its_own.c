// tape_of_its_own.c: a tape that grows by realloc, with a line for every product and sum.
#include "exercise.h"

#include <stdlib.h>

typedef struct {
    double value, gradient;
    int from[2];
    double slope[2];
} Line;

static Line *lines;
static int count, room;

static int record(double value, int a, double slope_a, int b, double slope_b)
{
    if (count == room) {
        room = room ? room + room / 2 + 1 : 4;
        lines = realloc(lines, (size_t)room * sizeof *lines);
    }
    lines[count] = (Line){value, 0.0, {a, b}, {slope_a, slope_b}};
    return count++;
}

static int number(double value) { return record(value, -1, 0.0, -1, 0.0); }
static int times(int a, int b)
{
    return record(lines[a].value * lines[b].value, a, lines[b].value, b, lines[a].value);
}
static int plus(int a, int b) { return record(lines[a].value + lines[b].value, a, 1.0, b, 1.0); }
static void play(void)
{
    lines[count - 1].gradient = 1.0;
    for (Line *line = lines + count; line-- > lines;)
        for (int k = 0; k < 2; k++)
            if (line->from[k] >= 0) lines[line->from[k]].gradient += line->gradient * line->slope[k];
}

static void forget(void)
{
    free(lines);
    lines = NULL;
    count = room = 0;
}

void tape_divide(Matrix line, float a, float b)
{
    double quotient = (double)a / (double)b;
    line.data[0] = (float)quotient;
    line.data[1] = (float)(1.0 / (double)b);
    line.data[2] = (float)(-quotient / (double)b);
}

void tape_play_backwards(Matrix gradients, Matrix tape)
{
    for (int i = 0; i < gradients.rows; i++) gradients.data[i] = i == gradients.rows - 1 ? 1.0f : 0.0f;
    for (int i = tape.rows; i-- > 0;) {
        const float *line = matrix_row(tape, i);
        if (line[0] >= 0.0f) gradients.data[(int)line[0]] += gradients.data[i] * line[2];
        if (line[1] >= 0.0f) gradients.data[(int)line[1]] += gradients.data[i] * line[3];
    }
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

void product_with_itself(Matrix y, Matrix d_x, Matrix d_y, Matrix x)
{
    int size = x.rows * x.cols, *inputs = malloc((size_t)size * sizeof *inputs), f = number(0.0);
    for (int i = 0; i < size; i++) inputs[i] = number((double)x.data[i]);
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.rows; j++) {
            int total = number(0.0);
            for (int l = 0; l < x.cols; l++) total = plus(total, times(inputs[i * x.cols + l], inputs[j * x.cols + l]));
            AT(y, i, j) = (float)lines[total].value;
            f = plus(f, times(total, number((double)AT(d_y, i, j))));
        }
    play();
    for (int i = 0; i < size; i++) d_x.data[i] += (float)lines[inputs[i]].gradient;
    free(inputs);
    forget();
}
