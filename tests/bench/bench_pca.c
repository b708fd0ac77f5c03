// Principal components of Fashion-MNIST, 60000 × 784: the first 50, and the fraction of the variance that they explain.
#include "bench.h"
#include "files/idx.h"
#include "models/pca.h"
#include "timing.h"

enum { COMPONENTS = 50 };

static Pca run(const Matrix *x, double *seconds, double *explained)
{
    Arena *arena = arena_new();
    const double begin = seconds_now();
    const Pca pca = pca_fit(arena, *x, COMPONENTS);
    *seconds = seconds_now() - begin;
    *explained = sum(pca.variances) / pca.total_variance;
    arena_free(arena);
    return pca;
}

static double fit_seconds(double seconds, void *context)
{
    double explained;
    run(context, &seconds, &explained);
    return seconds;
}

static double fit_explained(double seconds, void *context)
{
    double explained;
    run(context, &seconds, &explained);
    return explained;
}

int main(void)
{
    Arena *arena = arena_new();
    const ImageSet data = fashion_mnist_load(arena);
    Matrix x = image_matrix(arena, data.train, 0.0f, 1.0f);
    static const BenchPeer peers[] = {{.label = "scikit-learn", .program = "clusters.py", .argument = "pca"},
                                      {.label = "numpy", .program = "clusters.py", .argument = "eigh"}};
    bench_begin("pca", peers, 2);
    bench_row((BenchRow){.name = "pca",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = fit_seconds,
                         .context = &x,
                         .request = "fit"},
              2);
    bench_row((BenchRow){.name = "pca",
                         .metric = "explained",
                         .kept = "50 components",
                         .block = fit_explained,
                         .context = &x,
                         .request = "explained"},
              1);
    const int status = bench_end();
    arena_free(arena);
    return status;
}
