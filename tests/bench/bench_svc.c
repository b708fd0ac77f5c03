// A support vector machine for each pair of classes on the first 5000 images of Fashion-MNIST: the Gaussian kernel, C 1, gamma
// 1 / (columns · variance). Target: at most 0.4 s. The second row is the time for the first 1000 test images, the third the share
// of all 10000 that the machines know.
#include "bench.h"
#include "files/idx.h"
#include "labels.h"
#include "models/svm.h"
#include "timing.h"

enum { ROWS = 5000, TIMED = 1000 };

typedef struct {
    ImageSet data;
    Matrix x, test;
    SvmClasses svm; // fitted, for the rows that ask it
} Images5000;

static SvmClasses fit(const Images5000 *images, Arena *arena)
{
    const SvmOptions options = {.c = 1.0f, .gamma = svm_gamma_scale(images->x)};
    return svm_fit_classes(arena, images->x, images->data.train_labels, 10, options);
}

static double fit_seconds(double seconds, void *context)
{
    Arena *arena = arena_new();
    const double begin = seconds_now();
    fit(context, arena);
    seconds = seconds_now() - begin;
    arena_free(arena);
    return seconds;
}

static double predict_seconds(double seconds, void *context)
{
    const Images5000 *images = context;
    int predicted[TIMED];
    const double begin = seconds_now();
    svm_predict(predicted, &images->svm, matrix_rows(images->test, 0, TIMED));
    (void)seconds;
    return seconds_now() - begin;
}

static double test_accuracy(double seconds, void *context)
{
    (void)seconds;
    const Images5000 *images = context;
    Arena *arena = arena_new();
    int *predicted = arena_alloc(arena, (size_t)images->test.rows, sizeof *predicted);
    svm_predict(predicted, &images->svm, images->test);
    const double right = fraction_right(predicted, images->data.test_labels, images->test.rows);
    arena_free(arena);
    return right;
}

int main(void)
{
    Arena *arena = arena_new();
    Images5000 images = {.data = fashion_mnist_load(arena)};
    images.x = image_matrix(arena, image_range(images.data.train, 0, ROWS), 0.0f, 1.0f);
    images.test = image_matrix(arena, images.data.test, 0.0f, 1.0f);
    images.svm = fit(&images, arena);
    static const BenchPeer peers[] = {
        {.label = "scikit-learn", .program = "classical.py", .argument = "svc"}};
    bench_begin("svc", peers, 1);
    bench_row((BenchRow){.name = "svc",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = fit_seconds,
                         .context = &images,
                         .request = "fit"},
              2);
    bench_row((BenchRow){.name = "svc_predict",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = predict_seconds,
                         .context = &images,
                         .request = "predict"},
              2);
    bench_row((BenchRow){.name = "svc",
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
