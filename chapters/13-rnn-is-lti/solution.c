// Reference answers to the exercises of chapter 13. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 13.1: the output and all of the next state are read from the old one
float state_step(Matrix x, Matrix a, Matrix b, Matrix c, float d, float u)
{
    float next[MAX_STATES], y = d * u;
    for (int i = 0; i < x.rows; i++) {
        y += c.data[i] * x.data[i];
        next[i] = b.data[i] * u;
        for (int j = 0; j < x.rows; j++) next[i] += AT(a, i, j) * x.data[j];
    }
    for (int i = 0; i < x.rows; i++) x.data[i] = next[i];
    return y;
}

// TASK 13.2: the second system's input is c_1 x_1 + d_1 u
void in_series(Matrix a, Matrix b, Matrix c, Matrix d, Matrix a_1, Matrix b_1, Matrix c_1, float d_1,
               Matrix a_2, Matrix b_2, Matrix c_2, float d_2)
{
    int first = a_1.rows, second = a_2.rows;
    fill(a, 0.0f);
    for (int i = 0; i < first; i++) {
        for (int j = 0; j < first; j++) AT(a, i, j) = AT(a_1, i, j);
        b.data[i] = b_1.data[i];
        c.data[i] = d_2 * c_1.data[i];
    }
    for (int i = 0; i < second; i++) {
        for (int j = 0; j < first; j++) AT(a, first + i, j) = b_2.data[i] * c_1.data[j];
        for (int j = 0; j < second; j++) AT(a, first + i, first + j) = AT(a_2, i, j);
        b.data[first + i] = b_2.data[i] * d_1;
        c.data[first + i] = c_2.data[i];
    }
    d.data[0] = d_2 * d_1;
}

// TASK 13.3: a_2 (a_1 x + b_1) + b_2
void compose(Matrix a, Matrix b, Matrix a_1, Matrix b_1, Matrix a_2, Matrix b_2)
{
    matmul(a, a_2, a_1);
    matmul(b, a_2, b_1);
    add(b, b, b_2);
}

// TASK 13.4: forwards the states are remembered; backwards, adjoint is the gradient of the state behind the step
void gradient_through_time(Matrix gradient, Matrix u, Matrix target, float a, float b)
{
    Arena *arena = arena_new();
    int steps = u.rows;
    double *x = arena_zeros(arena, (size_t)steps, sizeof *x), adjoint = 0.0, d_a = 0.0, d_b = 0.0;
    for (int t = 1; t < steps; t++) x[t] = (double)a * x[t - 1] + (double)b * (double)u.data[t - 1];
    for (int t = steps - 1; t >= 0; t--) {
        d_a += adjoint * x[t];
        d_b += adjoint * (double)u.data[t];
        adjoint = (double)a * adjoint + 2.0 * (x[t] - (double)target.data[t]) / steps;
    }
    gradient.data[0] = (float)d_a;
    gradient.data[1] = (float)d_b;
    arena_free(arena);
}

// TASK 13.5: |aᵐ| grows like radiusᵐ for any norm. With m = 2¹⁶, by squaring; each power is scaled to norm 1, and the m-th
// root of the scales is multiplied up.
float radius(Matrix a)
{
    enum { SQUARINGS = 16 };
    Arena *arena = arena_new();
    Matrix power = matrix_copy(arena, a), square = matrix_new(arena, a.rows, a.rows);
    double result = 1.0;
    for (int k = 0; k <= SQUARINGS && result > 0.0; k++) {
        double size = norm(power), root = size;
        if (size > 0.0) scale(power, (float)(1.0 / size));
        for (int i = 0; i < k; i++) root = sqrt(root);
        result *= root;
        matmul(square, power, power);
        copy(power, square);
    }
    arena_free(arena);
    return (float)result;
}
