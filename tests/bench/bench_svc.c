// A support vector machine for each pair of classes on the first 5000 images of Fashion-MNIST: the Gaussian kernel, C 1, gamma
// 1 / (columns · variance). Target: at most 0.4 s. The second row is the time for the 10000 test images, the third the
// share of them that the machines know.
#include "bench.h"
#include "files/idx.h"
#include "models/svm.h"
#include "timing.h"

enum { ROWS = 5000 };

typedef struct {
    ImageSet data;
    Matrix x, test;
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

// The share of test images that are known; *seconds receives how long it took to say so.
static double test(const Images5000 *images, double *seconds)
{
    Arena *arena = arena_new();
    const SvmClasses svm = fit(images, arena);
    int *predicted = arena_alloc(arena, (size_t)images->test.rows, sizeof *predicted), right = 0;
    const double begin = seconds_now();
    svm_predict(predicted, &svm, images->test);
    *seconds = seconds_now() - begin;
    for (int i = 0; i < images->test.rows; i++) right += predicted[i] == images->data.test_labels[i];
    arena_free(arena);
    return (double)right / images->test.rows;
}

static double predict_seconds(double seconds, void *context)
{
    test(context, &seconds);
    return seconds;
}

static double test_accuracy(double seconds, void *context) { return test(context, &seconds); }

int main(void)
{
    Arena *arena = arena_new();
    Images5000 images = {.data = fashion_mnist_load(arena)};
    images.x = image_matrix(arena, image_range(images.data.train, 0, ROWS), 0.0f, 1.0f);
    images.test = image_matrix(arena, images.data.test, 0.0f, 1.0f);
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
                         .block = test_accuracy,
                         .context = &images,
                         .outside_bar = true,
                         .request = "accuracy"},
              1);
    const int status = bench_end();
    arena_free(arena);
    return status;
}
