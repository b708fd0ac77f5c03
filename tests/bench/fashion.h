// fashion.h: what the training benchmarks on Fashion-MNIST share: one training run, its speed and its
// accuracy.
//
// Batches of 64 in a new order each epoch, pixels 0 to 1, weights and biases uniform in ±1/√inputs, a
// learning rate that falls like half a cosine: what peers/fashion_torch.py and peers/fashion_numpy.py do. The
// clock covers everything between the loaded pictures and the trained model: the order, the batches, the
// steps.
#pragma once
#include "bench.h"
#include "lesson/idx.h"
#include "models/nn.h"
#include "timing.h"

enum { BATCH = 64 };

typedef struct {
    const char *name;
    const int *sizes; // of the layers: {784, …, 10}
    int size_count, epochs;
    OptimiserKind optimiser; // SGD or Adam
    float rate;
    const ImageSet *data;
    uint64_t seed; // of the last training: each takes another
} FashionModel;

// Trains a new model; returns the share of test pictures that it knows. *rate receives training samples per
// second.
static inline double fashion_train(FashionModel *model, int epochs, double *rate)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(++model->seed, 0);
    Parameters set = parameters_new(arena);
    Mlp net = mlp_new(&set, model->name, model->sizes, model->size_count, &rng, INIT_FAN_IN_UNIFORM);
    Optimiser optimiser = model->optimiser == OPTIMISER_SGD
                              ? sgd_new(arena, &set, 0.0f)
                              : adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 0.0f);
    const ImageSet *data = model->data;
    int count = data->train.count, batches = count / BATCH, labels[BATCH];
    int *order = arena_alloc(arena, (size_t)count, sizeof *order);
    Matrix x = matrix_new(arena, BATCH, image_size(data->train));
    long step = 0, steps = (long)epochs * batches;

    double start = seconds_now();
    for (int epoch = 0; epoch < epochs; epoch++) {
        rng_permutation(&rng, order, count);
        for (int batch = 0; batch < batches; batch++, step++) {
            const int *chosen = order + batch * BATCH;
            image_gather(x, data->train, chosen, 0.0f, 1.0f);
            for (int i = 0; i < BATCH; i++) labels[i] = data->train_labels[chosen[i]];
            tape_reset(tape);
            backward(cross_entropy(mlp(&net, tape_input(tape, x)), labels));
            optimiser_step(&optimiser, cosine_schedule(model->rate, step, 0, steps));
        }
    }
    *rate = (double)steps * BATCH / (seconds_now() - start);

    tape_reset(tape);
    tape_record(tape, false);
    Matrix test = image_matrix(arena, data->test, 0.0f, 1.0f);
    double right = accuracy(mlp(&net, tape_input(tape, test))->value, data->test_labels);
    tape_free(tape);
    arena_free(arena);
    return right;
}

// One epoch: samples per second.
static inline double fashion_epoch(double seconds, void *context)
{
    (void)seconds;
    double rate;
    fashion_train(context, 1, &rate);
    return rate;
}

// A whole training: the accuracy on the test pictures. The median over blocks is one over seeds.
static inline double fashion_accuracy(double seconds, void *context)
{
    (void)seconds;
    FashionModel *model = context;
    double rate;
    return fashion_train(model, model->epochs, &rate);
}

static const BenchPeer FASHION_PEERS[] = {
    {.label = "PyTorch", .program = "fashion_torch.py"},
    {.label = "numpy", .program = "fashion_numpy.py"},
};
enum { FASHION_PEER_COUNT = sizeof FASHION_PEERS / sizeof *FASHION_PEERS };
