// A small LeNet (LeCun et al. 1998): conv 1→8 5×5, pool, conv 8→16 5×5, pool, 120, 84, 10, relu, no padding; Adam,
// Fashion-MNIST; accuracy after three epochs. Target: 2.4 times the speed of PyTorch, equal accuracy.
#include "fashion.h"

typedef struct {
    Conv first, second;
    Mlp head;
} LeNet;

static void *lenet_make(const FashionModel *model, Parameters *set, Rng *rng)
{
    (void)model;
    static const int sizes[] = {256, 120, 84, 10};
    LeNet *net = arena_alloc(set->arena, 1, sizeof *net);
    net->first = conv_new(set, "first", 1, 8, window_square(5, 1, 0), rng, INIT_FAN_IN_UNIFORM);
    net->second = conv_new(set, "second", 8, 16, window_square(5, 1, 0), rng, INIT_FAN_IN_UNIFORM);
    net->head = mlp_new(set, "head", sizes, 4, rng, INIT_FAN_IN_UNIFORM);
    return net;
}

static Tensor *lenet_scores(void *network, Tape *tape, Matrix pictures, bool training)
{
    (void)training;
    const LeNet *net = network;
    const int count = pictures.rows;
    const Window half = window_square(2, 2, 0);
    Tensor *x = tape_input(tape, matrix_reshape(pictures, count * 784, 1));
    x = max_pool(conv_relu(&net->first, x, ((Grid){count, 28, 28})), ((Grid){count, 24, 24}), half);
    x = max_pool(conv_relu(&net->second, x, ((Grid){count, 12, 12})), ((Grid){count, 8, 8}), half);
    return mlp(&net->head, tensor_reshape(x, count, 256));
}

int main(void)
{
    Arena *arena = arena_new();
    ImageSet data = fashion_mnist_load(arena);
    FashionModel model = {.name = "lenet",
                          .epochs = 3,
                          .speed_batches = 100,
                          .optimiser = OPTIMISER_ADAM,
                          .rate = 1e-3f,
                          .make = lenet_make,
                          .scores = lenet_scores,
                          .data = &data};
    bench_begin("lenet", FASHION_PEERS, FASHION_TORCH_ONLY);
    bench_row((BenchRow){.name = "lenet",
                         .metric = "samples_per_s",
                         .block = fashion_epoch,
                         .context = &model,
                         .request = "epoch lenet"},
              2);
    bench_row((BenchRow){.name = "lenet",
                         .metric = "test_accuracy",
                         .kept = "3 epochs",
                         .block = fashion_accuracy,
                         .context = &model,
                         .request = "accuracy lenet"},
              1);
    int status = bench_end();
    arena_free(arena);
    return status;
}
