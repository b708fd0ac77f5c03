// A decision tree of depth 10 on Fashion-MNIST, 60000 × 784, with the Gini impurity. Target: at most 0.5 s. The clock covers
// everything between the matrix of numbers and the tree, the table of bins too. The second row is the share of the 10000
// test images that the tree knows.
#include "bench.h"
#include "files/idx.h"
#include "labels.h"
#include "models/tree.h"
#include "timing.h"

typedef struct {
    ImageSet data;
    Matrix x, test;
} Images60000;

static Tree *fit(const Images60000 *images, Arena *arena, double *seconds)
{
    const double begin = seconds_now();
    const TreeTable table = tree_table_new(arena, images->x);
    Tree *tree =
        tree_fit(arena, &table, images->data.train_labels, 10, (TreeOptions){.max_depth = 10}, NULL, 0, NULL);
    *seconds = seconds_now() - begin;
    return tree;
}

static double fit_seconds(double seconds, void *context)
{
    Arena *arena = arena_new();
    fit(context, arena, &seconds);
    arena_free(arena);
    return seconds;
}

static double test_accuracy(double seconds, void *context)
{
    const Images60000 *images = context;
    Arena *arena = arena_new();
    const Tree *tree = fit(images, arena, &seconds);
    int *predicted = arena_alloc(arena, (size_t)images->test.rows, sizeof *predicted);
    tree_predict(predicted, tree, images->test);
    const double right = fraction_right(predicted, images->data.test_labels, images->test.rows);
    arena_free(arena);
    return right;
}

int main(void)
{
    Arena *arena = arena_new();
    Images60000 images = {.data = fashion_mnist_load(arena)};
    images.x = image_matrix(arena, images.data.train, 0.0f, 1.0f);
    images.test = image_matrix(arena, images.data.test, 0.0f, 1.0f);
    static const BenchPeer peers[] = {
        {.label = "scikit-learn", .program = "classical.py", .argument = "tree"}};
    bench_begin("tree", peers, 1);
    bench_row((BenchRow){.name = "tree",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = fit_seconds,
                         .context = &images,
                         .request = "fit"},
              2);
    bench_row((BenchRow){.name = "tree",
                         .metric = "accuracy",
                         .kept = "a fit",
                         .block = test_accuracy,
                         .context = &images,
                         .outside_bar = true,
                         .request = "accuracy"},
              1);
    const int status = bench_end();
    arena_free(arena);
    return status;
}
