// A GCN of two layers, 16 hidden, on a graph of the size of Cora: 2708 nodes, 5429 edges, 1433 features of which about 18 are
// 1 in a row, 7 classes with 20 labels each; dropout of a half before each layer, weight decay 5e-4 on the first, Adam at 0.01, 200
// epochs over the whole graph, as Kipf and Welling (2017) train it. Target: 20 times the speed of PyTorch 1.13.
//
// Cora itself is in no package. This graph is made, by the same plain generator here and in peers/gcn_torch.py: a node's class is its
// number modulo 7; four of five edges stay within a class; half of a node's words come from the 200 of its class. The second
// row is the accuracy on 1000 other nodes.
#include "bench.h"
#include "base/parallel.h"
#include "learning/ops/graph.h"
#include "models/nn.h"
#include "timing.h"
#include "watch.h"

#include <math.h>

enum {
    NODES = 2708,
    EDGES = 5429,
    FEATURES = 1433,
    WORDS = 18,
    CLASSES = 7,
    HIDDEN = 16,
    EPOCHS = 200,
    LABELLED = 20 * CLASSES, // the first nodes
    TEST = 1000
};

typedef struct {
    Arena *arena;
    Tape *tape; // of all trainings: its memory is at hand, as a warm peer's is
    SparseOperator s, features;
    int *order; // [features.count] element k of the transposed features is element order[k] of the features
    int training[LABELLED], test[NODES];
    uint64_t seed; // of the last training: each takes another
} Cora;

// The generator of Lehmer, with the constants of Park and Miller (1988): exact in any language.
static int draw(int64_t *state, int below)
{
    *state = *state * 48271 % 2147483647;
    return (int)(*state % below);
}

static Cora *made_graph(Arena *arena)
{
    Cora *cora = arena_zeros(arena, 1, sizeof *cora);
    cora->arena = arena;
    cora->tape = tape_new();
    watch_tape(cora->tape);
    int count = 0, words = 0, degree[NODES];
    int *row = arena_alloc(arena, 2 * EDGES + NODES, sizeof *row),
        *column = arena_alloc(arena, 2 * EDGES + NODES, sizeof *column);
    float *value = arena_alloc(arena, 2 * EDGES + NODES, sizeof *value);
    bool *joined = arena_zeros(arena, (size_t)NODES * NODES, sizeof *joined);
    int64_t state = 1;
    for (int i = 0; i < NODES; i++) degree[i] = 1, row[count] = column[count] = i, count++;
    for (int edges = 0; edges < EDGES;) {
        int a = draw(&state, NODES), b = draw(&state, NODES);
        bool within = draw(&state, 5) > 0;
        if (a == b || (a % CLASSES == b % CLASSES) != within || joined[a * NODES + b]) continue;
        joined[a * NODES + b] = joined[b * NODES + a] = true;
        row[count] = a, column[count++] = b, row[count] = b, column[count++] = a;
        degree[a]++, degree[b]++, edges++;
    }
    for (int k = 0; k < count; k++) value[k] = 1.0f / sqrtf((float)degree[row[k]] * (float)degree[column[k]]);
    cora->s = sparse_operator(arena, sparse_new(arena, NODES, NODES, count, row, column, value));

    int *node = arena_alloc(arena, NODES * WORDS, sizeof *node),
        *word = arena_alloc(arena, NODES * WORDS, sizeof *word);
    float *weight = arena_alloc(arena, NODES * WORDS, sizeof *weight);
    for (int i = 0; i < NODES; i++)
        for (int k = 0; k < WORDS; k++, words++) { // rows that add up to 1; a word may come twice
            bool own = draw(&state, 2) > 0;
            int chosen = draw(&state, own ? 200 : FEATURES);
            node[words] = i, word[words] = own ? i % CLASSES * 200 + chosen : chosen,
            weight[words] = 1.0f / WORDS;
        }
    cora->features = sparse_operator(arena, sparse_new(arena, NODES, FEATURES, words, node, word, weight));
    Sparse numbered = cora->features.forward;
    float *number = arena_alloc(arena, (size_t)numbered.count, sizeof *number);
    for (int k = 0; k < numbered.count; k++) number[k] = (float)k;
    numbered.value = number;
    numbered = sparse_transpose(arena, numbered);
    cora->order = arena_alloc(arena, (size_t)numbered.count, sizeof *cora->order);
    for (int k = 0; k < numbered.count; k++) cora->order[k] = (int)numbered.value[k];
    for (int i = 0; i < LABELLED; i++) cora->training[i] = i % CLASSES;
    for (int i = 0; i < NODES; i++) cora->test[i] = i >= NODES - TEST ? i % CLASSES : LABEL_IGNORED;
    return cora;
}

// Each word of each node is dropped anew: the same places, other values.
static SparseOperator *dropped(Tape *tape, const Cora *cora, Rng *rng)
{
    Arena *arena = tape_arena(tape);
    const Sparse f = cora->features.forward;
    float *value = arena_alloc(arena, (size_t)f.count, sizeof *value);
    float *transposed = arena_alloc(arena, (size_t)f.count, sizeof *transposed);
    for (int first = 0; first < f.count; first += 32) {
        const uint32_t bits = rng_next(rng);
        for (int k = first; k < int_min(first + 32, f.count); k++)
            value[k] = 2.0f * f.value[k] * (float)(bits >> (k - first) & 1);
    }
    const int *order = cora->order;
#pragma omp parallel for simd if (parallel : parallel_worth((size_t)f.count))
    for (int k = 0; k < f.count; k++) transposed[k] = value[order[k]];
    SparseOperator *s = arena_alloc(arena, 1, sizeof *s);
    *s = cora->features;
    s->forward.value = value, s->backward.value = transposed;
    return s;
}

static double train(Cora *cora, double *seconds)
{
    Arena *arena = arena_new();
    Tape *tape = cora->tape;
    Rng rng = rng_new(++cora->seed, 0);
    Parameters set = parameters_new(arena);
    Tensor *first = parameters_add(&set, "first.weight", FEATURES, HIDDEN),
           *second = parameters_add(&set, "second.weight", HIDDEN, CLASSES);
    initialise(first->value, INIT_GLOROT_UNIFORM, &rng);
    initialise(second->value, INIT_GLOROT_UNIFORM, &rng);
    Optimiser adam = adam_new(arena, &set, 0.9f, 0.999f, 1e-8f, 5e-4f);
    adam.weight_decays[1] = 0.0f;
    const double begin = seconds_now();
    Tensor *scores = NULL;
    for (int epoch = 0; epoch <= EPOCHS; epoch++) {
        const bool training = epoch < EPOCHS;
        tape_reset(tape);
        tape_record(tape, training);
        const SparseOperator *x = training ? dropped(tape, cora, &rng) : &cora->features;
        Tensor *h = relu(sparse_product(&cora->s, sparse_product(x, tape_parameter(tape, first))));
        scores = sparse_product(&cora->s, product(dropout(h, 0.5f, &rng, training), second));
        if (!training) break;
        backward(cross_entropy(slice_rows(scores, 0, LABELLED), cora->training));
        optimiser_step(&adam, 0.01f);
    }
    *seconds = seconds_now() - begin;
    const double right = accuracy(scores->value, cora->test);
    arena_free(arena);
    return right;
}

static double train_seconds(double seconds, void *context)
{
    (void)seconds;
    double taken;
    train(context, &taken);
    return taken;
}

static double train_accuracy(double seconds, void *context)
{
    (void)seconds;
    double taken;
    return train(context, &taken);
}

int main(void)
{
    Arena *arena = arena_new();
    Cora *cora = made_graph(arena);
    static const BenchPeer peers[] = {{.label = "PyTorch", .program = "gcn_torch.py"}};
    bench_begin("gcn", peers, 1);
    bench_row((BenchRow){.name = "gcn",
                         .metric = "seconds",
                         .lower_is_better = true,
                         .block = train_seconds,
                         .context = cora,
                         .request = "fit"},
              2);
    bench_row((BenchRow){.name = "gcn",
                         .metric = "test_accuracy",
                         .kept = "200 epochs",
                         .block = train_accuracy,
                         .context = cora,
                         .request = "accuracy"},
              1);
    const int status = bench_end();
    tape_free(cora->tape);
    arena_free(arena);
    return status;
}
