// structs.c: values that are structs: returned, nested, compound literals, designated initialisers.
#include "exercise.h"

typedef struct {
    double at[MAX_FEATURES];
} Vector;

typedef struct {
    struct {
        Vector normal;
        double right;
    } row[MAX_FEATURES];
    int count;
} Equations;

static Vector times(double factor, Vector v)
{
    for (int j = 0; j < MAX_FEATURES; j++) v.at[j] *= factor;
    return v;
}

static Vector plus(Vector a, Vector b)
{
    Vector sum = {.at = {[0] = a.at[0] + b.at[0]}};
    for (int j = 1; j < MAX_FEATURES; j++) sum.at[j] = a.at[j] + b.at[j];
    return sum;
}

static Vector row_of(Matrix m, int i)
{
    Vector v = {{0}};
    for (int j = 0; j < m.cols; j++) v.at[j] = (double)AT(m, i, j);
    return v;
}

static double inner(Vector a, Vector b)
{
    double sum = 0.0;
    for (int j = 0; j < MAX_FEATURES; j++) sum += a.at[j] * b.at[j];
    return sum;
}

// A column as a row: the numbers are the same.
static Vector column(Matrix m) { return row_of((Matrix){.rows = 1, .cols = m.rows, .data = m.data}, 0); }

float regression_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double error = inner(row_of(x, i), column(w)) - (double)y.data[i];
        total += error * error;
    }
    return (float)(total / (2.0 * x.rows));
}

static Vector slope(Matrix x, Vector w, Matrix y)
{
    Vector sum = {{0}};
    for (int i = 0; i < x.rows; i++)
        sum = plus(sum, times((inner(row_of(x, i), w) - (double)y.data[i]) / x.rows, row_of(x, i)));
    return sum;
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    Vector g = slope(x, column(w), y);
    for (int j = 0; j < x.cols; j++) gradient.data[j] = (float)g.at[j];
}

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    Vector at = column(w);
    for (int step = 0; step < steps; step++) at = plus(at, times(-(double)rate, slope(x, at, y)));
    for (int j = 0; j < w.rows; j++) w.data[j] = (float)at.at[j];
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    Equations e = {.count = x.cols};
    for (int j = 0; j < e.count; j++) e.row[j].normal.at[j] = (double)ridge;
    for (int i = 0; i < x.rows; i++) {
        Vector row = row_of(x, i);
        for (int j = 0; j < e.count; j++) {
            e.row[j].normal = plus(e.row[j].normal, times(row.at[j] / x.rows, row));
            e.row[j].right += row.at[j] * (double)y.data[i] / x.rows;
        }
    }
    for (int p = 0; p < e.count; p++)
        for (int j = 0; j < e.count; j++) {
            if (j == p) continue;
            double factor = -e.row[j].normal.at[p] / e.row[p].normal.at[p];
            e.row[j].normal = plus(e.row[j].normal, times(factor, e.row[p].normal));
            e.row[j].right += factor * e.row[p].right;
        }
    for (int j = 0; j < e.count; j++) w.data[j] = (float)(e.row[j].right / e.row[j].normal.at[j]);
}
