// Logistic regression of ten classes on Fashion-MNIST, 60000 × 784: 50 iterations of L-BFGS on the whole set (decay 1/N,
// scikit-learn's default), and 5 epochs of descent in minibatches; with the accuracy on the test pictures of both.
//
// scikit-learn's SGDClassifier takes single examples and fits one class against the others: its only way.
#include "bench.h"
#include "files/idx.h"
#include "labels.h"
#include "learning/lbfgs.h"
#include "learning/logistic.h"
#include "timing.h"

typedef struct {
    Matrix x, test, w;
    const int *test_labels;
    LogisticProblem problem, plain; // with and without decay
    double loss;
    uint64_t seed;
} Logistic;

static double lbfgs_seconds(double seconds, void *context)
{
    Logistic *l = context;
    fill(l->w, 0.0f);
    seconds = seconds_now();
    l->loss = lbfgs_minimise(l->problem.arena, l->w, logistic_objective, &l->problem,
                             ((LbfgsOptions){.iterations = 50}))
                  .loss;
    return seconds_now() - seconds;
}

static double sgd_seconds(double seconds, void *context)
{
    Logistic *l = context;
    Rng rng = rng_new(++l->seed, 0);
    fill(l->w, 0.0f);
    seconds = seconds_now();
    logistic_sgd(&l->plain, l->w, ((LogisticPlan){.epochs = 5, .batch = 64, .rate = 0.1f}), &rng);
    return seconds_now() - seconds;
}

static double test_accuracy(const Logistic *l)
{
    static int predicted[10000];
    logistic_predict(predicted, l->w, l->test);
    return fraction_right(predicted, l->test_labels, l->test.rows);
}

static double lbfgs_accuracy(double seconds, void *context)
{
    lbfgs_seconds(seconds, context);
    return test_accuracy(context);
}

static double lbfgs_loss(double seconds, void *context)
{
    lbfgs_seconds(seconds, context);
    return ((Logistic *)context)->loss;
}

static double sgd_accuracy(double seconds, void *context)
{
    sgd_seconds(seconds, context);
    return test_accuracy(context);
}

static void row(const char *name, const char *metric, bool lower_is_better, double (*block)(double, void *),
                Logistic *l, const char *request, const char *kept)
{
    bench_row((BenchRow){.name = name,
                         .metric = metric,
                         .lower_is_better = lower_is_better,
                         .block = block,
                         .context = l,
                         .request = request,
                         .kept = kept},
              2);
}

int main(void)
{
    Arena *arena = arena_new();
    const ImageSet data = fashion_mnist_load(arena);
    Logistic l = {.x = image_matrix(arena, data.train, 0.0f, 1.0f),
                  .test = image_matrix(arena, data.test, 0.0f, 1.0f),
                  .test_labels = data.test_labels,
                  .w = matrix_new(arena, 785, 10)};
    l.problem = logistic_problem(arena, l.x, data.train_labels, 10, 1.0f / (float)l.x.rows);
    l.plain = logistic_problem(arena, l.x, data.train_labels, 10, 0.0f);
    static const BenchPeer peers[] = {
        {.label = "scikit-learn", .program = "clusters.py", .argument = "logistic"}};
    bench_begin("logistic", peers, 1);
    row("logistic_50", "seconds", true, lbfgs_seconds, &l, "fit", NULL);
    row("logistic_50", "loss", true, lbfgs_loss, &l, "loss", "50 iterations");
    row("logistic_50", "test_accuracy", false, lbfgs_accuracy, &l, "accuracy", "50 iterations");
    row("logistic_sgd", "seconds", true, sgd_seconds, &l, "sgd", NULL);
    row("logistic_sgd", "test_accuracy", false, sgd_accuracy, &l, "sgd_accuracy", "5 epochs");
    const int status = bench_end();
    arena_free(arena);
    return status;
}
