// function_pointers.c: a loss that is folded by functions given to functions.
#include "exercise.h"

#include <stddef.h>

typedef struct Problem Problem;
typedef double Term(const Problem *problem, int example);
typedef double (*Fold)(const Problem *, Term *);

struct Problem {
    const Matrix x, w, y;
    int feature;
};

static double error(const Problem *p, int i)
{
    double value = -(double)p->y.data[i];
    for (int j = 0; j < p->x.cols; j++) value += (double)AT(p->x, i, j) * (double)p->w.data[j];
    return value;
}

static double square(const Problem *p, int i) { return error(p, i) * error(p, i); }
static double pull(const Problem *p, int i) { return error(p, i) * (double)AT(p->x, i, p->feature); }

static double forwards(const Problem *p, Term *term)
{
    double sum = 0.0;
    for (int i = 0; i < p->x.rows; i++) sum += term(p, i);
    return sum;
}

static double backwards(const Problem *p, Term *term)
{
    double sum = 0.0;
    for (int i = p->x.rows; i > 0; i--) sum += (*term)(p, i - 1);
    return sum;
}

static const Fold folds[] = {forwards, backwards};

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    const Problem p = {.x = x, .w = w, .y = y};
    double sum = 0.0;
    for (size_t f = 0; f < sizeof folds / sizeof *folds; f++) sum += folds[f](&p, square);
    return (float)(sum / (4.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j < x.cols; j++)
        gradient.data[j] = (float)(folds[j % 2](&(Problem){x, w, y, j}, &pull) / x.rows);
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
