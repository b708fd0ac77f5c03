// The U-Net of a diffusion model (models/unet.h): 28 × 28 pixels, 32 features and 64 at half the side, 10 conditions, batch 64,
// Adam: training samples per second. Target: 1.5 times PyTorch.
//
// That both train the same is shown by the row of losses: the mean loss of the last ten of the first 20 steps from the same
// start on the same batches. With peers, this program writes the initial weights, all parameters in the order of their set, and
// eight batches (noised images, targets, times, conditions) as raw floats to unet.weights and unet.batches in the folder
// BENCH_PROGRAMS; peers/unet_torch.py reads them.
#include "bench.h"
#include "models/unet.h"
#include "raw.h"
#include "timing.h"

enum { BATCH = 64, BATCHES = 8, SIDE = 28, PIXELS = SIDE * SIDE, CONDITIONS = 10, TIMES = 200 };
enum { LOSS_STEPS = 20, MEANT_STEPS = 10 };

typedef struct {
    Matrix x_t, v, conditions; // (BATCHES·BATCH × …)
    int times[BATCHES * BATCH];
} Batches;

typedef struct {
    const Batches *data;
    Arena *arena;
    Parameters set;
    Unet unet;
    UnetLearner learner;
    Optimiser adam;
    long step;
    double loss; // after LOSS_STEPS; 0: not known yet
} Training;

static void training_start(Training *t, const Batches *data)
{
    *t = (Training){.data = data, .arena = arena_new()};
    Rng rng = rng_new(1, 0);
    t->set = parameters_new(t->arena);
    t->unet = unet_new(&t->set, ((UnetConfig){.side = SIDE, .features = 32, .conditions = CONDITIONS}), &rng);
    for (int i = 0; i < t->set.count; i++) // no weight stays 0: all of the network takes part
        for (size_t k = 0; k < matrix_size(t->set.items[i]->value); k++)
            t->set.items[i]->value.data[k] += rng_between(&rng, -0.02f, 0.02f);
    t->learner = unet_learner_new(t->arena, &t->unet, &t->set);
    t->adam = adam_new(t->arena, &t->set, 0.9f, 0.99f, 1e-8f, 0.0f);
}

static double training_step(Training *t)
{
    const int first = (int)(t->step++ % BATCHES) * BATCH;
    const double loss =
        unet_learn(&t->learner, matrix_rows(t->data->x_t, first, BATCH), t->data->times + first,
                   matrix_rows(t->data->conditions, first, BATCH), matrix_rows(t->data->v, first, BATCH));
    optimiser_step(&t->adam, 1e-3f);
    return loss;
}

// A bright rectangle in each image, noised
static void make_batches(Arena *arena, Batches *b)
{
    const int count = BATCHES * BATCH;
    Rng rng = rng_new(2, 0);
    Matrix x_0 = matrix_new(arena, count, PIXELS), noise = matrix_new(arena, count, PIXELS);
    b->x_t = matrix_new(arena, count, PIXELS), b->v = matrix_new(arena, count, PIXELS);
    b->conditions = matrix_new(arena, count, CONDITIONS);
    fill(x_0, -1.0f), fill_normal(noise, &rng, 0.0f, 1.0f);
    for (int i = 0; i < count; i++) {
        const int kind = (int)rng_below(&rng, CONDITIONS), top = (int)rng_below(&rng, 14);
        for (int p = 0; p < PIXELS; p++)
            if (p / SIDE >= top && p / SIDE < top + 12 && p % SIDE >= kind && p % SIDE < 2 * kind + 8)
                AT(x_0, i, p) = 1.0f;
        if (i % 10) AT(b->conditions, i, kind) = 1.0f;
        b->times[i] = 1 + (int)rng_below(&rng, TIMES);
    }
    const DiffusionSchedule schedule = diffusion_schedule_new(arena, TIMES);
    diffusion_noised(b->x_t, x_0, noise, b->times, &schedule);
    diffusion_velocity(b->v, x_0, noise, b->times, &schedule);
}

static double samples_per_second(double seconds, void *context)
{
    Training *t = context;
    training_step(t); // warm
    long steps = 0;
    const double start = seconds_now();
    while (seconds_now() - start < seconds) training_step(t), steps++;
    return (double)steps * BATCH / (seconds_now() - start);
}

// The same each time: it is computed once.
static double loss_after(double seconds, void *context)
{
    (void)seconds;
    Training *of = context;
    if (of->loss != 0.0) return of->loss;
    Training t;
    training_start(&t, of->data);
    for (int i = 0; i < LOSS_STEPS; i++) {
        const double loss = training_step(&t);
        if (i >= LOSS_STEPS - MEANT_STEPS) of->loss += loss / MEANT_STEPS;
    }
    unet_learner_free(&t.learner);
    arena_free(t.arena);
    return of->loss;
}

static void write_for_peers(const Training *t)
{
    FILE *weights = raw_create("unet", ".weights"), *batches = raw_create("unet", ".batches");
    for (int i = 0; i < t->set.count; i++) raw_matrix(weights, t->set.items[i]->value);
    raw_matrix(batches, t->data->x_t), raw_matrix(batches, t->data->v);
    for (int i = 0; i < BATCHES * BATCH; i++) {
        const float time = (float)t->data->times[i];
        fwrite(&time, sizeof time, 1, batches);
    }
    raw_matrix(batches, t->data->conditions);
    raw_close(weights), raw_close(batches);
}

int main(void)
{
    const BenchPeer peers[] = {
        {.label = "PyTorch", .program = "unet_torch.py", .argument = raw_folder(), .bar = 1.5}};
    Arena *arena = arena_new();
    static Batches data;
    make_batches(arena, &data);
    Training training;
    training_start(&training, &data);
    if (raw_wanted()) write_for_peers(&training);
    bench_begin("unet", peers, 1);
    bench_row((BenchRow){.name = "unet_ddpm",
                         .metric = "samples_per_s",
                         .block = samples_per_second,
                         .context = &training,
                         .request = "train",
                         .block_seconds = 0.6},
              2);
    bench_row((BenchRow){.name = "unet_ddpm",
                         .metric = "loss",
                         .kept = "20 steps",
                         .lower_is_better = true,
                         .outside_bar = true,
                         .block = loss_after,
                         .context = &training,
                         .request = "loss"},
              1);
    int status = bench_end();
    unet_learner_free(&training.learner);
    arena_free(training.arena);
    arena_free(arena);
    return status;
}
