// An LSTM of 128 units reads each picture of Fashion-MNIST as 28 steps of 28 pixels; its last state goes to 10 scores;
// Adam, accuracy after one epoch. Target: 3.7 times the speed of PyTorch 1.13, equal accuracy.
#include "fashion.h"

enum { STEPS = 28, PIXELS = 28, HIDDEN = 128 };

typedef struct {
    Lstm lstm;
    Linear head;
} Reader;

static void *reader_make(const FashionModel *model, Parameters *set, Rng *rng)
{
    (void)model;
    Reader *net = arena_alloc(set->arena, 1, sizeof *net);
    net->lstm = lstm_new(set, "lstm", PIXELS, HIDDEN, rng, 1.0f);
    net->head = linear_new(set, "head", HIDDEN, 10, rng, INIT_FAN_IN_UNIFORM);
    return net;
}

static Tensor *reader_scores(void *network, Tape *tape, Matrix pictures, bool training)
{
    (void)training;
    const Reader *net = network;
    const Sequences shape = {pictures.rows, STEPS};
    Tensor *x = tape_input(tape, matrix_reshape(pictures, pictures.rows * STEPS, PIXELS));
    return linear(&net->head, last_steps(lstm_states(&net->lstm, x, shape, NULL), shape));
}

int main(void)
{
    Arena *arena = arena_new();
    ImageSet data = fashion_mnist_load(arena);
    FashionModel model = {.name = "lstm",
                          .epochs = 1,
                          .speed_batches = 40,
                          .optimiser = OPTIMISER_ADAM,
                          .rate = 1e-3f,
                          .make = reader_make,
                          .scores = reader_scores,
                          .data = &data};
    bench_begin("lstm", FASHION_PEERS, FASHION_TORCH_ONLY);
    bench_row((BenchRow){.name = "lstm",
                         .metric = "samples_per_s",
                         .block = fashion_epoch,
                         .context = &model,
                         .request = "epoch lstm"},
              2);
    bench_row((BenchRow){.name = "lstm",
                         .metric = "test_accuracy",
                         .kept = "1 epoch",
                         .block = fashion_accuracy,
                         .context = &model,
                         .request = "accuracy lstm"},
              1);
    int status = bench_end();
    arena_free(arena);
    return status;
}
