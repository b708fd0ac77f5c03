// 784–256–128–10 with relu, Adam, Fashion-MNIST; accuracy after five epochs. Target: 2.9 times the speed of
// PyTorch, equal accuracy. And the price of the tape: the same step with and without it.
#include "base/parallel.h"
#include "fashion.h"

#include <stdlib.h>

// ---- The step without a tape ------------------------------------------------------------------------------
// The kernels that the taped operations call, in the same order, on memory that stands ready.

typedef struct {
    Parameters set;
    Mlp net;
    Tape *tape;
    Matrix x;
    int labels[BATCH];
    Matrix value[3], d_value[3], probabilities, row_losses; // of each layer: what it gives, and its gradient
} Steps;

static void steps_make(Steps *s, Arena *arena)
{
    static const int sizes[] = {784, 256, 128, 10};
    Rng rng = rng_new(1, 0);
    s->set = parameters_new(arena);
    s->net = mlp_new(&s->set, "mlp", sizes, 4, &rng, INIT_FAN_IN_UNIFORM);
    s->tape = tape_new();
    s->x = matrix_new(arena, BATCH, 784);
    fill_uniform(s->x, &rng, 0.0f, 1.0f);
    for (int i = 0; i < BATCH; i++) s->labels[i] = i % 10;
    for (int i = 0; i < 3; i++) {
        s->value[i] = matrix_new(arena, BATCH, sizes[i + 1]);
        s->d_value[i] = matrix_new(arena, BATCH, sizes[i + 1]);
    }
    s->probabilities = matrix_new(arena, BATCH, 10);
    s->row_losses = matrix_new(arena, BATCH, 1);
}

static void step_with_tape(Steps *s)
{
    clear_gradients(&s->set);
    tape_reset(s->tape);
    backward(cross_entropy(mlp(&s->net, tape_input(s->tape, s->x)), s->labels));
}

// d = 0 where y is not positive
static void mask(Matrix d, Matrix y)
{
    size_t count = matrix_size(d);
#pragma omp parallel for simd if (parallel : parallel_worth(count))
    for (size_t i = 0; i < count; i++) d.data[i] = y.data[i] > 0.0f ? d.data[i] : 0.0f;
}

static void step_by_hand(Steps *s)
{
    const Linear *layer = s->net.layers;
    Matrix nothing = {0, 0, NULL};
    affine_relu_forward(s->value[0], s->x, layer[0].weight->value, layer[0].bias->value);
    affine_relu_forward(s->value[1], s->value[0], layer[1].weight->value, layer[1].bias->value);
    affine_forward(s->value[2], s->value[1], layer[2].weight->value, layer[2].bias->value);
    cross_entropy_forward(s->probabilities, s->row_losses, s->value[2], s->labels);

    fill(s->d_value[2], 0.0f);
    cross_entropy_backward(s->d_value[2], 1.0f, s->probabilities, s->labels);
    for (int i = 2; i >= 0; i--) {
        Matrix input = i ? s->value[i - 1] : s->x;
        if (i < 2) mask(s->d_value[i], s->value[i]);
        if (i) matmul_nt(s->d_value[i - 1], s->d_value[i], layer[i].weight->value);
        matmul_tn(layer[i].weight->gradient, input, s->d_value[i]);
        fill(layer[i].bias->gradient, 0.0f);
        affine_backward(nothing, nothing, layer[i].bias->gradient, s->d_value[i], input, nothing);
    }
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// How many percent longer the step takes with the tape: medians of steps that take turns.
static double tape_block(double seconds, void *context)
{
    enum { MOST = 20000 };
    static double taped[MOST], by_hand[MOST];
    Steps *s = context;
    int count = 0;
    for (double start = seconds_now(); seconds_now() - start < seconds && count < MOST; count++) {
        double begin = seconds_now();
        step_with_tape(s);
        double middle = seconds_now();
        step_by_hand(s);
        taped[count] = middle - begin;
        by_hand[count] = seconds_now() - middle;
    }
    qsort(taped, (size_t)count, sizeof *taped, compare_doubles);
    qsort(by_hand, (size_t)count, sizeof *by_hand, compare_doubles);
    return 100.0 * (taped[count / 2] / by_hand[count / 2] - 1.0);
}

int main(void)
{
    Arena *arena = arena_new();
    ImageSet data = fashion_mnist_load(arena);
    static const int sizes[] = {784, 256, 128, 10};
    FashionModel model = fashion_mlp("mlp", sizes, 4, 5, OPTIMISER_ADAM, 1e-3f, &data);
    model.speed_batches = 200;
    static Steps steps;
    steps_make(&steps, arena);
    bench_begin("mlp", FASHION_PEERS, FASHION_PEER_COUNT);
    bench_row((BenchRow){.name = "mlp",
                         .metric = "samples_per_s",
                         .block = fashion_epoch,
                         .context = &model,
                         .request = "epoch mlp"},
              2);
    bench_row((BenchRow){.name = "mlp",
                         .metric = "test_accuracy",
                         .kept = "5 epochs",
                         .block = fashion_accuracy,
                         .context = &model,
                         .request = "accuracy mlp"},
              1);
    bench_row((BenchRow){.name = "mlp",
                         .metric = "tape_percent",
                         .lower_is_better = true,
                         .block = tape_block,
                         .context = &steps,
                         .block_seconds = 0.3},
              2);
    int status = bench_end();
    tape_free(steps.tape);
    arena_free(arena);
    return status;
}
