// A small ResNet (He et al. 2016): conv 1→16, three stages of 16, 32 and 64 channels with two basic blocks each, batch
// norm, mean over the picture, 10; Adam, Fashion-MNIST; accuracy after one epoch. Where the channels change, the stride
// is 2 and the short cut a 1×1 convolution with batch norm. Target: 1.5 times the speed of PyTorch, equal accuracy.
#include "fashion.h"

enum { BLOCKS = 6 };

typedef struct {
    Conv first, second, shortcut; // shortcut.weight NULL: the input itself
    BatchNorm first_norm, second_norm, shortcut_norm;
} Block;

typedef struct {
    Conv stem;
    BatchNorm stem_norm;
    Block blocks[BLOCKS];
    Linear head;
} ResNet;

static Conv without_bias(Parameters *set, const char *name, int inputs, int outputs, Window window, Rng *rng)
{
    return conv_new_without_bias(set, name, inputs, outputs, window, rng, INIT_FAN_IN_UNIFORM);
}

static void block_make(Block *block, Parameters *set, const char *name, int inputs, int outputs, Rng *rng)
{
    const int stride = outputs / inputs;
    *block = (Block){
        .first = without_bias(set, layer_name(set, name, "first", -1), inputs, outputs,
                              window_square(3, stride, 1), rng),
        .first_norm = batch_norm_new(set, layer_name(set, name, "first_norm", -1), outputs),
        .second = without_bias(set, layer_name(set, name, "second", -1), outputs, outputs,
                               window_square(3, 1, 1), rng),
        .second_norm = batch_norm_new(set, layer_name(set, name, "second_norm", -1), outputs),
    };
    if (stride == 1) return;
    block->shortcut = without_bias(set, layer_name(set, name, "shortcut", -1), inputs, outputs,
                                   window_square(1, stride, 0), rng);
    block->shortcut_norm = batch_norm_new(set, layer_name(set, name, "shortcut_norm", -1), outputs);
}

static void *resnet_make(const FashionModel *model, Parameters *set, Rng *rng)
{
    (void)model;
    static const int channels[BLOCKS + 1] = {16, 16, 16, 32, 32, 64, 64};
    ResNet *net = arena_alloc(set->arena, 1, sizeof *net);
    net->stem = without_bias(set, "stem", 1, 16, window_square(3, 1, 1), rng);
    net->stem_norm = batch_norm_new(set, "stem_norm", 16);
    for (int i = 0; i < BLOCKS; i++)
        block_make(&net->blocks[i], set, layer_name(set, "block", "", i), channels[i], channels[i + 1], rng);
    net->head = linear_new(set, "head", 64, 10, rng, INIT_FAN_IN_UNIFORM);
    return net;
}

// Two convolutions, and the input added before the last relu. *grid becomes that of the output.
static Tensor *block_forward(Block *block, Tensor *x, Grid *grid, bool training)
{
    const Grid out = window_grid(HERE, *grid, block->first.window);
    Tensor *shortcut = x;
    if (block->shortcut.weight)
        shortcut = batch_normalise(&block->shortcut_norm, conv(&block->shortcut, x, *grid), training);
    Tensor *hidden = batch_normalise_relu(&block->first_norm, conv(&block->first, x, *grid), training);
    *grid = out;
    return batch_normalise_add_relu(&block->second_norm, conv(&block->second, hidden, out), shortcut,
                                    training);
}

static Tensor *resnet_scores(void *network, Tape *tape, Matrix pictures, bool training)
{
    ResNet *net = network;
    Grid grid = {pictures.rows, 28, 28};
    Tensor *x = tape_input(tape, matrix_reshape(pictures, grid_rows(grid), 1));
    x = batch_normalise_relu(&net->stem_norm, conv(&net->stem, x, grid), training);
    for (int i = 0; i < BLOCKS; i++) x = block_forward(&net->blocks[i], x, &grid, training);
    return linear(&net->head, global_average_pool(x, grid));
}

int main(void)
{
    Arena *arena = arena_new();
    ImageSet data = fashion_mnist_load(arena);
    FashionModel model = {.name = "resnet",
                          .epochs = 1,
                          .speed_batches = 15,
                          .optimiser = OPTIMISER_ADAM,
                          .rate = 1e-3f,
                          .make = resnet_make,
                          .scores = resnet_scores,
                          .data = &data};
    bench_begin("resnet", FASHION_PEERS, FASHION_TORCH_ONLY);
    bench_row((BenchRow){.name = "resnet",
                         .metric = "samples_per_s",
                         .block = fashion_epoch,
                         .context = &model,
                         .request = "epoch resnet"},
              2);
    bench_row((BenchRow){.name = "resnet",
                         .metric = "test_accuracy",
                         .kept = "1 epoch",
                         .block = fashion_accuracy,
                         .context = &model,
                         .request = "accuracy resnet"},
              1);
    int status = bench_end();
    arena_free(arena);
    return status;
}
