// fashion.h: what the training benchmarks on Fashion-MNIST share: one training run, its speed and its
// accuracy. The network is given by two functions.
//
// Batches of 64 in a new order each epoch, pixels 0 to 1, weights and biases uniform in ±1/√inputs, a
// learning rate that falls like half a cosine: what peers/fashion_torch.py and peers/fashion_numpy.py do. The
// clock covers everything between the loaded pictures and the trained model: the order, the batches, the
// steps. Where a part of an epoch is enough to know the speed, it covers the batches and the steps behind the second, and on a
// slow machine as many of them as two seconds hold.
#pragma once
#include "bench.h"
#include "files/idx.h"
#include "models/nn.h"
#include "timing.h"
#include "watch.h"

enum { BATCH = 64, WARM_BATCHES = 2, MOST_SECONDS = 2 };

typedef struct FashionModel FashionModel;
struct FashionModel {
    const char *name;
    int epochs;
    int speed_batches;       // so many, about half a second, are enough to know the speed; 0: an epoch
    OptimiserKind optimiser; // SGD, Adam, or AdamW with a decay of 0.01
    float rate;
    // The network, in the arena, its parameters in the set; and its scores (N × 10) for pictures (N × 784)
    void *(*make)(const FashionModel *model, Parameters *set, Rng *rng);
    Tensor *(*scores)(void *network, Tape *tape, Matrix pictures, bool training);
    const int *sizes; // of the layers of fashion_mlp: {784, …, 10}
    int size_count;
    const ImageSet *data;
    uint64_t seed; // of the last training: each takes another
};

// ---- Linear layers ----------------------------------------------------------------------------------------

static inline void *fashion_mlp_make(const FashionModel *model, Parameters *set, Rng *rng)
{
    Mlp *network = arena_alloc(set->arena, 1, sizeof *network);
    *network = mlp_new(set, model->name, model->sizes, model->size_count, rng, INIT_FAN_IN_UNIFORM);
    return network;
}

static inline Tensor *fashion_mlp_scores(void *network, Tape *tape, Matrix pictures, bool training)
{
    (void)training;
    return mlp((const Mlp *)network, tape_input(tape, pictures));
}

static inline FashionModel fashion_mlp(const char *name, const int *sizes, int size_count, int epochs,
                                       OptimiserKind optimiser, float rate, const ImageSet *data)
{
    return (FashionModel){.name = name,
                          .epochs = epochs,
                          .optimiser = optimiser,
                          .rate = rate,
                          .make = fashion_mlp_make,
                          .scores = fashion_mlp_scores,
                          .sizes = sizes,
                          .size_count = size_count,
                          .data = data};
}

// ---- Training ---------------------------------------------------------------------------------------------

// The share of test pictures that the network knows.
static inline double fashion_test(const FashionModel *model, void *network, Tape *tape, Arena *arena)
{
    enum { AT_ONCE = 500 };
    Matrix test = image_matrix(arena, model->data->test, 0.0f, 1.0f);
    double right = 0.0;
    tape_record(tape, false);
    for (int first = 0; first < test.rows; first += AT_ONCE) {
        int count = int_min(AT_ONCE, test.rows - first);
        tape_reset(tape);
        Tensor *scores = model->scores(network, tape, matrix_rows(test, first, count), false);
        right += accuracy(scores->value, model->data->test_labels + first) * count;
    }
    return right / test.rows;
}

static inline Optimiser fashion_optimiser(const FashionModel *model, Arena *arena, Parameters *set)
{
    switch (model->optimiser) {
    case OPTIMISER_SGD:
        return sgd_new(arena, set, 0.0f);
    case OPTIMISER_ADAMW:
        return adamw_new(arena, set, 0.9f, 0.999f, 1e-8f, 0.01f);
    default:
        return adam_new(arena, set, 0.9f, 0.999f, 1e-8f, 0.0f);
    }
}

// Trains a new model for some epochs, or for so many batches behind WARM_BATCHES that are not timed (0: all, timed); returns
// its accuracy on the test pictures, 0 when it has not seen all. *rate receives training samples per second.
static inline double fashion_train(FashionModel *model, int epochs, int batches, double *rate)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    watch_tape(tape);
    Rng rng = rng_new(++model->seed, 0);
    Parameters set = parameters_new(arena);
    void *network = model->make(model, &set, &rng);
    Optimiser optimiser = fashion_optimiser(model, arena, &set);
    const ImageSet *data = model->data;
    int count = data->train.count, labels[BATCH];
    const int warm = batches ? WARM_BATCHES : 0;
    batches = batches ? warm + batches : count / BATCH;
    int *order = arena_alloc(arena, (size_t)count, sizeof *order);
    Matrix x = matrix_new(arena, BATCH, image_size(data->train));
    long step = 0, steps = (long)epochs * batches;

    double start = seconds_now();
    for (int epoch = 0; epoch < epochs; epoch++) {
        rng_permutation(&rng, order, count);
        for (int batch = 0; batch < batches; batch++, step++) {
            if (warm && step == warm) {
                watch_take();
                start = seconds_now();
            }
            if (step > warm && warm && seconds_now() - start > MOST_SECONDS) break;
            bench_share((double)step / (double)steps);
            const int *chosen = order + batch * BATCH;
            image_gather(x, data->train, chosen, 0.0f, 1.0f);
            for (int i = 0; i < BATCH; i++) labels[i] = data->train_labels[chosen[i]];
            tape_reset(tape);
            backward(cross_entropy(model->scores(network, tape, x, true), labels));
            optimiser_step(&optimiser, cosine_schedule(model->rate, step, 0, steps));
        }
    }
    *rate = (double)(step - warm) * BATCH / (seconds_now() - start);

    double right = !warm ? fashion_test(model, network, tape, arena) : 0.0;
    tape_free(tape);
    arena_free(arena);
    return right;
}

// One epoch, or a part of it that is long enough: samples per second.
static inline double fashion_epoch(double seconds, void *context)
{
    (void)seconds;
    FashionModel *model = context;
    double rate;
    fashion_train(model, 1, model->speed_batches, &rate);
    return rate;
}

// A whole training: the accuracy on the test pictures. The median over blocks is one over seeds.
static inline double fashion_accuracy(double seconds, void *context)
{
    (void)seconds;
    FashionModel *model = context;
    double rate;
    return fashion_train(model, model->epochs, 0, &rate);
}

static const BenchPeer FASHION_PEERS[] = {
    {.label = "PyTorch", .program = "fashion_torch.py"},
    {.label = "numpy", .program = "fashion_numpy.py"},
};
enum {
    FASHION_PEER_COUNT = sizeof FASHION_PEERS / sizeof *FASHION_PEERS,
    FASHION_TORCH_ONLY = 1, // numpy has no convolution and no LSTM
};
