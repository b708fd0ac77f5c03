#include "learning/least_squares.h"
#include "matrix/lanes.h"

#include <math.h>
#include <string.h>

// The padded copy: each row is `width` vectors, zeros behind the last feature.
typedef struct {
    int rows, width;
    Lanes *x;
    const float *y;
} Padded;

static Padded pad(Place place, Arena *arena, Matrix x, Matrix y)
{
    int width = (x.cols + LANES - 1) / LANES;
    size_t vectors = size_product(place, (size_t)x.rows, (size_t)width);
    Padded padded = {x.rows, width, arena_zeros_at(place, arena, vectors, sizeof(Lanes)), y.data};
    for (int i = 0; i < x.rows; i++)
        memcpy(&padded.x[(size_t)i * (size_t)width], matrix_row(x, i), (size_t)x.cols * sizeof(float));
    return padded;
}

// One minibatch: w ← w − rate/count · Σ row · error. Inlined with width 1, so that w and the gradient stay in registers.
static inline void minibatch(Lanes *w, Lanes *gradient, Padded e, int width, const int *order, int count,
                             float rate)
{
    for (int k = 0; k < width; k++) gradient[k] = (Lanes){0};
    for (int i = 0; i < count; i++) {
        const Lanes *row = e.x + (size_t)order[i] * (size_t)width;
        Lanes products = row[0] * w[0];
        for (int k = 1; k < width; k++) products += row[k] * w[k];
        float error = lanes_join(&products) - e.y[order[i]];
        for (int k = 0; k < width; k++) gradient[k] += row[k] * error;
    }
    float step = rate / (float)count;
    for (int k = 0; k < width; k++) w[k] -= gradient[k] * step;
}

void least_squares_sgd_at(Place place, Arena *scratch, Matrix w, Matrix x, Matrix y, LeastSquaresPlan plan,
                          Rng *rng)
{
    check_at(place,
             x.cols == w.rows && w.cols == 1 && y.rows == x.rows && y.cols == 1 && x.rows > 0 && x.cols > 0,
             "x is (n × d), w (d × 1), y (n × 1)", "least_squares_sgd: x (%d × %d), w (%d × %d), y (%d × %d)",
             x.rows, x.cols, w.rows, w.cols, y.rows, y.cols);
    check_at(place, plan.batch > 0 && plan.epochs >= 0, "a minibatch has at least one example",
             "least_squares_sgd: %d epochs of minibatches of %d", plan.epochs, plan.batch);
    ArenaMark mark = arena_mark(scratch);
    Padded e = pad(place, scratch, x, y);
    Lanes *weights = arena_zeros_at(place, scratch, (size_t)e.width, sizeof(Lanes));
    Lanes *gradient = arena_zeros_at(place, scratch, (size_t)e.width, sizeof(Lanes));
    int *order = arena_alloc_at(place, scratch, (size_t)e.rows, sizeof(int));
    memcpy(weights, w.data, (size_t)w.rows * sizeof(float));
    for (int epoch = 0; epoch < plan.epochs; epoch++) {
        rng_permutation(rng, order, e.rows);
        for (int first = 0; first < e.rows; first += plan.batch) {
            int count = int_min(plan.batch, e.rows - first);
            if (e.width == 1)
                minibatch(weights, gradient, e, 1, order + first, count, plan.rate);
            else
                minibatch(weights, gradient, e, e.width, order + first, count, plan.rate);
        }
    }
    memcpy(w.data, weights, (size_t)w.rows * sizeof(float));
    arena_rewind(scratch, mark);
}

// ---- The solution at once ------------------------------------------------------------------------------------

// The lower triangle of xᵀx (d × d), row-major
static double *normal_matrix(Arena *arena, Matrix x)
{
    const size_t d = (size_t)x.cols;
    double *m = arena_zeros(arena, d * d, sizeof *m);
    for (int r = 0; r < x.rows; r++) {
        const float *row = matrix_row(x, r);
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j <= i; j++) m[i * d + j] += (double)row[i] * (double)row[j];
    }
    return m;
}

// m ← l with m = l lᵀ
static void factorise(Place place, double *m, size_t d)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double rest = m[i * d + j], before = rest;
            for (size_t k = 0; k < j; k++) rest -= m[i * d + k] * m[j * d + k];
            check_at(place, i != j || rest > 1e-12 * before,
                     "leave it out, bring more rows, or take its mean off if that is far from 0",
                     "least_squares_solve: column %zu of x is, to six digits, a weighted sum of the columns "
                     "before",
                     j);
            m[i * d + j] = i == j ? sqrt(rest) : rest / m[j * d + j];
        }
}

// b ← the solution of l lᵀ w = b
static void substitute(const double *l, double *b, size_t d)
{
    for (size_t i = 0; i < d; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= l[i * d + k] * b[k];
        b[i] /= l[i * d + i];
    }
    for (size_t i = d; i-- > 0;) {
        for (size_t k = i + 1; k < d; k++) b[i] -= l[k * d + i] * b[k];
        b[i] /= l[i * d + i];
    }
}

// b (d) = xᵀ (y − x w)
static void correlate_errors(double *b, Matrix x, Matrix y, const double *w)
{
    for (int j = 0; j < x.cols; j++) b[j] = 0.0;
    for (int r = 0; r < x.rows; r++) {
        const float *row = matrix_row(x, r);
        double error = (double)y.data[r];
        for (int j = 0; j < x.cols; j++) error -= (double)row[j] * w[j];
        for (int j = 0; j < x.cols; j++) b[j] += error * (double)row[j];
    }
}

void least_squares_solve_at(Place place, Matrix w, Matrix x, Matrix y)
{
    int d = x.cols;
    check_at(place, d == w.rows && w.cols == 1 && y.rows == x.rows && y.cols == 1 && x.rows > 0 && d > 0,
             "x is (n × d), w (d × 1), y (n × 1)",
             "least_squares_solve: x (%d × %d), w (%d × %d), y (%d × %d)", x.rows, x.cols, w.rows, w.cols,
             y.rows, y.cols);
    check_at(place, all_finite(x) && all_finite(y), "look for a division by zero or a gap in the data",
             "least_squares_solve: x or y holds a NaN or an infinity");
    // Squaring the columns costs half of the digits when they are nearly dependent. The errors, made from x itself, still
    // show what is missing: solved for again, they bring it back (Wilkinson, Rounding Errors in Algebraic Processes, 1963).
    enum { ROUNDS = 4 };
    const size_t columns = (size_t)d;
    Arena *arena = arena_new();
    double *l = normal_matrix(arena, x), *solution = arena_zeros(arena, columns, sizeof *solution),
           *step = arena_alloc(arena, columns, sizeof *step);
    factorise(place, l, columns);
    for (int round = 0; round < ROUNDS; round++) {
        correlate_errors(step, x, y, solution);
        substitute(l, step, columns);
        for (size_t j = 0; j < columns; j++) solution[j] += step[j];
    }
    for (int j = 0; j < d; j++) w.data[j] = (float)solution[j];
    check_at(place, all_finite(w), "bring x and y to similar sizes",
             "least_squares_solve: a weight is larger than any float");
    arena_free(arena);
}
