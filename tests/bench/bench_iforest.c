// An isolation forest of 100 trees of 256 rows on Fashion-MNIST, 60000 × 784; the scores of 10000 pictures; and, as the
// score that must be equal, the area under the curve that tells 10000 pictures from the same ones upside down.
#include "bench.h"
#include "files/idx.h"
#include "learning/roc.h"
#include "models/isolation_forest.h"
#include "timing.h"

enum { TREES = 100, SAMPLE = 256, TEST = 10000 };

typedef struct {
    Matrix x, test, flipped; // flipped: the pictures upside down
    uint64_t seed;
} Forests;

static IsolationForest grown(Forests *f, Arena *arena)
{
    Rng rng = rng_new(++f->seed, 0);
    return isolation_forest_fit(arena, f->x, TREES, SAMPLE, &rng);
}

static double fit_seconds(double seconds, void *context)
{
    (void)seconds;
    Arena *arena = arena_new();
    const double begin = seconds_now();
    grown(context, arena);
    const double taken = seconds_now() - begin;
    arena_free(arena);
    return taken;
}

static double score_seconds(double seconds, void *context)
{
    (void)seconds;
    Forests *f = context;
    Arena *arena = arena_new();
    const IsolationForest forest = grown(f, arena);
    float *scores = arena_alloc(arena, TEST, sizeof *scores);
    const double begin = seconds_now();
    isolation_forest_scores(scores, &forest, f->test);
    const double taken = seconds_now() - begin;
    arena_free(arena);
    return taken;
}

static double area(double seconds, void *context)
{
    (void)seconds;
    Forests *f = context;
    Arena *arena = arena_new();
    const IsolationForest forest = grown(f, arena);
    float *scores = arena_alloc(arena, 2 * TEST, sizeof *scores);
    bool *positive = arena_zeros(arena, 2 * TEST, sizeof *positive);
    for (int i = TEST; i < 2 * TEST; i++) positive[i] = true;
    isolation_forest_scores(scores, &forest, f->test);
    isolation_forest_scores(scores + TEST, &forest, f->flipped);
    const double found = roc_area(scores, positive, 2 * TEST);
    arena_free(arena);
    return found;
}

int main(void)
{
    Arena *arena = arena_new();
    const ImageSet data = fashion_mnist_load(arena);
    Forests f = {.x = image_matrix(arena, data.train, 0.0f, 1.0f),
                 .test = image_matrix(arena, data.test, 0.0f, 1.0f)};
    f.flipped = matrix_new(arena, f.test.rows, f.test.cols);
    for (int i = 0; i < f.test.rows; i++)
        for (int j = 0; j < 784; j++) AT(f.flipped, i, j) = AT(f.test, i, (27 - j / 28) * 28 + j % 28);
    static const BenchPeer peers[] = {
        {.label = "scikit-learn", .program = "clusters.py", .argument = "iforest"}};
    bench_begin("iforest", peers, 1);
    bench_row((BenchRow){.name = "iforest_fit",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = fit_seconds,
                         .context = &f,
                         .request = "fit"},
              2);
    bench_row((BenchRow){.name = "iforest_score_10k",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = score_seconds,
                         .context = &f,
                         .request = "score"},
              2);
    bench_row((BenchRow){.name = "iforest",
                         .metric = "roc_area",
                         .kept = "100 trees",
                         .block = area,
                         .context = &f,
                         .request = "area"},
              1);
    const int status = bench_end();
    arena_free(arena);
    return status;
}
