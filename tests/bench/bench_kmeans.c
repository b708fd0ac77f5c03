// k-means on Fashion-MNIST, 60000 × 784: 10 centres, 20 steps of Lloyd from the same start for everybody (rows 0, 6000,
// 12000, …), and the cost of where they end.
#include "bench.h"
#include "files/idx.h"
#include "models/kmeans.h"
#include "timing.h"

enum { CENTRES = 10, STEPS = 20 };

typedef struct {
    Matrix x, start;
} Clusters;

static Kmeans run(const Clusters *c, double *seconds)
{
    Arena *arena = arena_new();
    const double begin = seconds_now();
    const Kmeans found = kmeans_from(arena, c->start, c->x, STEPS);
    *seconds = seconds_now() - begin;
    arena_free(arena);
    return found;
}

static double fit_seconds(double seconds, void *context)
{
    run(context, &seconds);
    return seconds;
}

static double fit_cost(double seconds, void *context) { return run(context, &seconds).cost; }

int main(void)
{
    Arena *arena = arena_new();
    const ImageSet data = fashion_mnist_load(arena);
    Clusters c = {image_matrix(arena, data.train, 0.0f, 1.0f), matrix_new(arena, CENTRES, 784)};
    for (int i = 0; i < CENTRES; i++)
        copy(matrix_rows(c.start, i, 1), matrix_rows(c.x, i * (c.x.rows / CENTRES), 1));
    static const BenchPeer peers[] = {
        {.label = "scikit-learn", .program = "clusters.py", .argument = "kmeans"}};
    bench_begin("kmeans", peers, 1);
    bench_row((BenchRow){.name = "kmeans",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = fit_seconds,
                         .context = &c,
                         .request = "fit"},
              2);
    bench_row((BenchRow){.name = "kmeans",
                         .metric = "cost",
                         .kept = "20 steps",
                         .lower_is_better = true,
                         .block = fit_cost,
                         .context = &c,
                         .request = "cost"},
              1);
    const int status = bench_end();
    arena_free(arena);
    return status;
}
