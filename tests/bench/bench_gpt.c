// GPT-2 in two sizes, trained with AdamW on a text of 96 characters: tokens per second. Targets: 45 000 and
// 4 000 on two threads, 2.2 and 1.4 times PyTorch.
//
// That both train the same is shown by the rows of losses: the mean loss of the last ten of the first 40 (or
// 20) steps from the same start on the same batches. With peers, this program writes the initial weights of
// each model, all parameters in the order of their set, as raw floats to gpt_small.weights and
// gpt_medium.weights in the folder BENCH_PROGRAMS, and the text as raw 32-bit integers to gpt.text;
// peers/gpt_torch.py reads them. Row b of batch s is the text from ((s · batch + b) · time) mod (size − time)
// on, and the labels are the same, one further on. The losses differ by what another order of sums does,
// about 1e-5.
#include "bench.h"
#include "models/gpt.h"
#include "raw.h"
#include "timing.h"
#include "watch.h"

#include <string.h>

enum { VOCABULARY = 96, TEXT = 1 << 17, MEANT_STEPS = 10 };

typedef struct {
    const char *name;
    GptConfig config;
    int batch, loss_steps;
    double loss; // after loss_steps; 0: not known yet
    Arena *arena;
    Parameters set;
    Gpt gpt;
    Optimiser optimiser;
    Tape *tape;
    const int *text;
    long step;
} Training;

static Training training_start(const char *name, GptConfig config, int batch, int loss_steps, const int *text)
{
    config.vocabulary = VOCABULARY;
    config.tied = true;
    Training t = {.name = name,
                  .config = config,
                  .batch = batch,
                  .loss_steps = loss_steps,
                  .arena = arena_new(),
                  .tape = tape_new(),
                  .text = text};
    watch_tape(t.tape);
    Rng rng = rng_new(1, 0);
    t.set = parameters_new(t.arena);
    t.gpt = gpt_new(&t.set, config, &rng);
    return t;
}

static void training_end(Training *t)
{
    tape_free(t->tape);
    arena_free(t->arena);
}

static float training_step(Training *t)
{
    enum { MOST = 1 << 13 };
    static int ids[MOST], labels[MOST];
    const int time = t->config.context;
    for (int b = 0; b < t->batch; b++) {
        const int *from = t->text + (t->step * t->batch + b) * time % (TEXT - time);
        memcpy(ids + b * time, from, (size_t)time * sizeof *ids);
        memcpy(labels + b * time, from + 1, (size_t)time * sizeof *labels);
    }
    tape_reset(t->tape);
    Tensor *loss = gpt_loss(&t->gpt, t->tape, ids, labels, t->batch, time);
    const float value = loss->value.data[0];
    backward(loss);
    optimiser_step(&t->optimiser, 1e-3f);
    t->step++;
    return value;
}

// A Markov chain: three times of four each character is followed by its own successor, else by any.
static int *make_text(Arena *arena)
{
    int *text = arena_alloc(arena, TEXT + 1, sizeof *text), successor[VOCABULARY];
    Rng rng = rng_new(2, 0);
    rng_permutation(&rng, successor, VOCABULARY);
    for (int i = 0; i <= TEXT; i++)
        text[i] = i && rng_below(&rng, 4) ? successor[text[i - 1]] : (int)rng_below(&rng, VOCABULARY);
    return text;
}

static double tokens_per_second(double seconds, void *context)
{
    Training *t = context;
    if (!t->optimiser.parameters) t->optimiser = adamw_new(t->arena, &t->set, 0.9f, 0.999f, 1e-8f, 0.01f);
    training_step(t); // warm
    long steps = 0;
    const double start = seconds_now();
    while (seconds_now() - start < seconds) training_step(t), steps++;
    return (double)steps * t->batch * t->config.context / (seconds_now() - start);
}

// The same each time: it is computed once.
static double loss_after(double seconds, void *context)
{
    (void)seconds;
    Training *of = context;
    if (of->loss != 0.0) return of->loss;
    Training t = training_start(of->name, of->config, of->batch, of->loss_steps, of->text);
    t.optimiser = adamw_new(t.arena, &t.set, 0.9f, 0.999f, 1e-8f, 0.01f);
    for (int i = 0; i < of->loss_steps; i++) {
        const double loss = (double)training_step(&t);
        if (i >= of->loss_steps - MEANT_STEPS) of->loss += loss / MEANT_STEPS;
    }
    training_end(&t);
    return of->loss;
}

static void write_weights(const Training *t)
{
    FILE *file = raw_create(t->name, ".weights");
    for (int i = 0; i < t->set.count; i++) raw_matrix(file, t->set.items[i]->value);
    raw_close(file);
}

static void write_text(const int *text)
{
    FILE *file = raw_create("gpt", ".text");
    fwrite(text, sizeof *text, TEXT + 1, file);
    raw_close(file);
}

static void rows(Training *t, double block_seconds)
{
    char speed[64], loss[64], kept[64];
    snprintf(speed, sizeof speed, "train %s", t->name);
    snprintf(loss, sizeof loss, "loss %s %d", t->name, t->loss_steps);
    snprintf(kept, sizeof kept, "%d steps", t->loss_steps);
    bench_row((BenchRow){.name = t->name,
                         .metric = "tokens_per_s",
                         .block = tokens_per_second,
                         .context = t,
                         .request = speed,
                         .block_seconds = block_seconds},
              2);
    bench_row((BenchRow){.name = t->name,
                         .metric = "loss",
                         .kept = kept,
                         .lower_is_better = true,
                         .outside_bar = true,
                         .block = loss_after,
                         .context = t,
                         .request = loss},
              1);
}

int main(void)
{
    const BenchPeer peers[] = {
        {.label = "PyTorch", .program = "gpt_torch.py", .argument = raw_folder(), .bar = 1.4}};
    Arena *arena = arena_new();
    const int *text = make_text(arena);
    const GptConfig small_size = {.context = 128, .layers = 4, .heads = 4, .width = 128},
                    medium_size = {.context = 256, .layers = 6, .heads = 6, .width = 384};
    Training small = training_start("gpt_small", small_size, 16, 40, text);
    Training medium = training_start("gpt_medium", medium_size, 8, 20, text);
    if (raw_wanted()) {
        write_weights(&small);
        write_weights(&medium);
        write_text(text);
    }
    bench_begin("gpt", peers, 1);
    rows(&small, 0.5);
    rows(&medium, 0.8);
    int status = bench_end();
    training_end(&small);
    training_end(&medium);
    arena_free(arena);
    return status;
}
