// Linear regression on the diabetes table, 442 × 10: descent in minibatches of 32, 100 epochs. Target: at
// most 0.3 ms.
//
// Features and target are standardised beforehand, for everybody. The clock covers one whole training:
// weights from zero, the order of each epoch, 1400 steps. The second row is the share of the variation that
// the trained weights explain.
#include "bench.h"
#include "learning/least_squares.h"
#include "files/csv.h"
#include "timing.h"

#include <math.h>

typedef struct {
    Arena *arena;
    Matrix x, y, w;
    Rng rng;
} Regression;

static void standardise(Arena *arena, Matrix m)
{
    Matrix centre = matrix_new(arena, 1, m.cols), deviation = matrix_new(arena, 1, m.cols);
    column_means(centre, m);
    column_variances(deviation, m);
    for (int j = 0; j < m.cols; j++) deviation.data[j] = sqrtf(deviation.data[j]);
    subtract_row(m, centre);
    divide_row(m, deviation);
}

static void fit(void *context)
{
    Regression *r = context;
    fill(r->w, 0.0f);
    least_squares_sgd(r->arena, r->w, r->x, r->y,
                      ((LeastSquaresPlan){.epochs = 100, .batch = 32, .rate = 0.02f}), &r->rng);
}

static double seconds_for_one(double seconds, void *context)
{
    return 1.0 / calls_per_second(seconds, fit, context);
}

static double explained(double seconds, void *context)
{
    (void)seconds;
    Regression *r = context;
    fit(r);
    ArenaMark mark = arena_mark(r->arena);
    Matrix errors = matrix_new(r->arena, r->x.rows, 1);
    matmul(errors, r->x, r->w);
    subtract(errors, errors, r->y);
    double share = 1.0 - sum_of_squares(errors) / sum_of_squares(r->y);
    arena_rewind(r->arena, mark);
    return share;
}

int main(void)
{
    Regression r = {.arena = arena_new(), .rng = rng_new(1, 0)};
    Csv table = csv_read(r.arena, "datasets/diabetes.csv");
    r.x = csv_numbers(r.arena, table, "age", "s6");
    r.y = csv_numbers(r.arena, table, "progression", "progression");
    r.w = matrix_new(r.arena, r.x.cols, 1);
    standardise(r.arena, r.x);
    standardise(r.arena, r.y);

    static const BenchPeer peers[] = {
        {.label = "PyTorch", .program = "linreg.py", .argument = "torch"},
        {.label = "scikit-learn", .program = "linreg.py", .argument = "sklearn"}};
    bench_begin("linreg", peers, 2);
    bench_row((BenchRow){.name = "linreg",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = seconds_for_one,
                         .context = &r,
                         .request = "fit"},
              1);
    bench_row((BenchRow){.name = "linreg",
                         .metric = "explained",
                         .kept = "100 epochs",
                         .block = explained,
                         .context = &r,
                         .request = "explained"},
              1);
    int status = bench_end();
    arena_free(r.arena);
    return status;
}
