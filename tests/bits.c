// bits.c: one line "name hash" for each kernel of the library, run on seeded inputs. common/tools/bits.sh
// (make bits) builds it with every compiler for every processor, runs it with 1, 2 and 3 threads, and
// compares the lines: they must be the same.
//
// A new kernel is one line of a table below. What it leaves in the outputs, and what it hands to keep(), is
// hashed. With names on the command line, only the kernels whose name contains one of them are run.
#include "base/mathf.h"
#include "base/rng.h"
#include "learning/lbfgs.h"
#include "learning/frechet.h"
#include "learning/least_squares.h"
#include "learning/logistic.h"
#include "learning/metrics.h"
#include "learning/ops/activation.h"
#include "learning/ops/conv.h"
#include "learning/ops/elementwise.h"
#include "learning/ops/graph.h"
#include "learning/ops/group_norm.h"
#include "learning/ops/likelihood.h"
#include "learning/ops/attention.h"
#include "learning/ops/position.h"
#include "learning/ops/linear.h"
#include "learning/ops/loss.h"
#include "learning/ops/norm.h"
#include "learning/ops/pool.h"
#include "learning/ops/recurrent.h"
#include "learning/ops/resample.h"
#include "learning/ops/shape.h"
#include "learning/optim.h"
#include "matrix/eigen.h"
#include "matrix/gemm.h"
#include "matrix/matrix.h"
#include "matrix/stored.h"
#include "matrix/symmetric.h"
#include "models/boxes.h"
#include "models/decoder.h"
#include "models/diffusion.h"
#include "models/isolation_forest.h"
#include "models/kmeans.h"
#include "models/pca.h"
#include "models/svm.h"
#include "models/tree.h"
#include "models/unet.h"

#include <inttypes.h>

// ---- What the kernels work on -----------------------------------------------------------------------------

// Odd sizes, sizes that are split between threads, and the two extremes.
static const struct {
    int rows, cols, width;
} shapes[] = {{517, 131, 24}, {7, 5, 3}, {1, 40001, 2}, {40001, 1, 2}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static Arena *arena;
static Rng rng;
static Matrix a, b, positive; // inputs (N × C); positive has no zero and nothing below
static Matrix row, column;    // inputs (1 × C) and (N × 1)
static Matrix right;          // input (C × W)
static Matrix out, flipped, wide, row_out,
    column_out;                    // outputs (N × C), (C × N), (N × W), (1 × C), (N × 1)
static int *indices, *indices_out; // N row numbers
static int *labels;                // N classes below C
static double number;              // an output

static Tape *tape;
static Tensor *x, *y;                 // (N × C)
static Tensor *w, *bias;              // (C × W), (1 × W)
static Tensor *gain, *shift, *scalar; // (1 × C), (1 × C), (1 × 1)
static BatchNormState state;

static Matrix normal(int rows, int cols)
{
    Matrix m = matrix_new(arena, rows, cols);
    fill_normal(m, &rng, 0.0f, 1.0f);
    return m;
}

static Tensor *variable(int rows, int cols) { return tape_variable(tape, normal(rows, cols)); }

// Everything anew for each kernel, from the same seed: a kernel may be added or left out without changing the
// others.
static void set_up(int rows, int cols, int width)
{
    arena_reset(arena);
    tape_reset(tape);
    rng = rng_new(2024, (uint64_t)rows);
    a = normal(rows, cols), b = normal(rows, cols), positive = normal(rows, cols);
    for (size_t i = 0; i < matrix_size(positive); i++)
        positive.data[i] = 0.1f + __builtin_fabsf(positive.data[i]);
    row = normal(1, cols), column = normal(rows, 1), right = normal(cols, width);
    out = matrix_copy(arena, a), flipped = matrix_new(arena, cols, rows), wide = normal(rows, width);
    row_out = matrix_new(arena, 1, cols), column_out = matrix_new(arena, rows, 1);
    indices = arena_alloc(arena, (size_t)rows, sizeof *indices),
    indices_out = arena_zeros(arena, (size_t)rows, sizeof *indices);
    labels = arena_alloc(arena, (size_t)rows, sizeof *labels);
    for (int i = 0; i < rows; i++) indices[i] = (int)rng_below(&rng, (uint32_t)rows);
    for (int i = 0; i < rows; i++) labels[i] = (int)rng_below(&rng, (uint32_t)cols);
    number = 0.0;
}

// The same for operations of the tape.
static void set_up_tape(int rows, int cols, int width)
{
    x = variable(rows, cols), y = variable(rows, cols), w = variable(cols, width), bias = variable(1, width);
    gain = variable(1, cols), shift = variable(1, cols), scalar = variable(1, 1);
    state = batch_norm_state_new(arena, cols);
}

// ---- Hashing ----------------------------------------------------------------------------------------------

static uint64_t hash; // FNV-1a (Fowler, Noll and Vo, draft-eastlake-fnv), four bytes at a time

static void keep_words(const void *words, size_t count)
{
    const uint32_t *word = words;
    for (size_t i = 0; i < count; i++) hash = (hash ^ word[i]) * 0x100000001b3u;
}

static void keep(Matrix m) { keep_words(m.data, matrix_size(m)); }

static void keep_outputs(void)
{
    keep(out), keep(flipped), keep(wide), keep(row_out), keep(column_out);
    keep_words(indices_out, (size_t)out.rows);
    keep_words(&number, 2);
    keep_words(&rng.state, 2);
}

// A node of the tape: its value, and the gradients of everything it depends on for a seeded upstream
// gradient.
static void taped(Tensor *node)
{
    keep(node->value);
    Tensor *const leaves[] = {x, y, w, bias, gain, shift, scalar};
    backward_from(node, normal(node->value.rows, node->value.cols));
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
        if (leaves[i]->has_gradient) keep(leaves[i]->gradient);
}

// A divisor of the number of rows, so that they are sequences of this length: few enough for all pairs of them.
static int sequence_length(int rows) { return rows == 40001 ? 181 : rows; }

// 4 heads of width 24, 2 for keys, over these rows; the last third of the keys of each sequence does not count.
static void attended(bool causal, bool together)
{
    const int time = sequence_length(out.rows), heads = 4, groups = 2, width = 24, batch = out.rows / time;
    AttentionShape shape = self_attention_shape(batch, time, heads, causal);
    int *counts = arena_alloc(arena, (size_t)batch, sizeof *counts);
    for (int i = 0; i < batch; i++) counts[i] = time - time / 3;
    shape.key_heads = groups;
    if (!causal) shape.key_counts = counts;
    x = variable(out.rows, (together ? heads + 2 * groups : heads) * width);
    y = variable(out.rows, groups * width), w = variable(out.rows, groups * width);
    taped(together ? self_attention(x, shape) : attention(x, y, w, shape));
}

// The same with a bias for each head, between positions of the same of three regions.
static void attended_in_regions(void)
{
    const int time = sequence_length(out.rows), heads = 2, width = 24, batch = out.rows / time;
    AttentionShape shape = self_attention_shape(batch, time, heads, false);
    int *regions = arena_alloc(arena, (size_t)out.rows, sizeof *regions);
    for (int i = 0; i < out.rows; i++) regions[i] = i * i % 3;
    shape.query_regions = regions;
    x = variable(out.rows, 3 * heads * width);
    y = variable(heads * time, time);
    taped(self_attention_biased(x, y, shape));
}

// Pictures for convolution and pooling, one kind for each of the shapes above: the grid and the window; x and w
// receive their sizes.
static const struct {
    Grid grid;
    int channels, outputs;
    Window window;
} pictures[SHAPES] = {{{20, 14, 14}, 16, 20, {3, 3, 1, 1, 1}},
                      {{3, 9, 8}, 6, 4, {3, 2, 2, 1, 2}},
                      {{33, 12, 12}, 1, 8, {5, 5, 1, 0, 1}},
                      {{2, 17, 31}, 35, 35, {3, 3, 2, 1, 35}}};
static Grid grid;
static Window window;

static void set_up_pictures(void)
{
    int s = 0;
    while (shapes[s].rows != out.rows) s++;
    grid = pictures[s].grid, window = pictures[s].window;
    x = variable(grid_rows(grid), pictures[s].channels);
    w = variable(window.height * window.width * pictures[s].channels / window.groups, pictures[s].outputs);
    bias = variable(1, pictures[s].outputs);
}

// The same for convolutions with a window for each channel. (One of the pictures above has that too.)
static const struct {
    Grid grid;
    int channels;
    Window window;
} layered[SHAPES] = {{{20, 14, 14}, 32, {3, 3, 1, 1, 32}},
                     {{3, 9, 8}, 19, {5, 5, 1, 2, 19}},
                     {{33, 12, 12}, 16, {7, 7, 1, 3, 16}},
                     {{2, 17, 31}, 35, {5, 3, 3, 0, 35}}};

static void set_up_layered(void)
{
    int s = 0;
    while (shapes[s].rows != out.rows) s++;
    grid = layered[s].grid, window = layered[s].window;
    x = variable(grid_rows(grid), layered[s].channels);
    w = variable(window.height * window.width, layered[s].channels);
    bias = variable(1, layered[s].channels);
}

// The same window for pooling.
static Window pool_window(void)
{
    window.groups = 1;
    return window;
}

// Five steps of an optimiser on one parameter.
static void stepped(Parameters *set, Optimiser optimiser)
{
    for (int step = 0; step < 5; step++) {
        clear_gradients(set);
        Matrix gradient = tensor_gradient(set->items[0]);
        fill_normal(gradient, &rng, 0.0f, 0.1f);
        number += gradient_norm(set);
        optimiser_step(&optimiser, 0.01f);
    }
    keep(set->items[0]->value);
}

// The rows as sequences of 13, 11 or 7 steps where that is possible.
static Sequences sequences(void)
{
    int time = out.rows % 13 == 0 ? 13 : out.rows % 11 == 0 ? 11 : out.rows % 7 == 0 ? 7 : 1;
    return (Sequences){out.rows / time, time};
}

// A recurrent cell with so many gates; y is its recurrent weight, gain its second bias. Its state belongs to the result.
static void recurrent(int gates, RnnKind kind)
{
    int hidden = wide.cols, all = gates * hidden;
    w = variable(out.cols, all), y = variable(hidden, all), bias = variable(1, all), gain = variable(1, all);
    scale(w->value, 0.1f), scale(y->value, 0.2f);
    Sequences s = sequences();
    RecurrentState memory = recurrent_state_new(arena, s.batch, hidden);
    fill_normal(memory.hidden, &rng, 0.0f, 1.0f), fill_normal(memory.cell, &rng, 0.0f, 1.0f);
    taped(gates == 1   ? rnn(x, w, y, bias, s, kind, &memory)
          : gates == 4 ? lstm(x, w, y, bias, s, &memory)
                       : gru(x, w, y, bias, gain, s, &memory));
    keep(memory.hidden), keep(memory.cell);
}

// Weights b in another kind, row by row and in strips: as floats, and their products with one row, a few and many.
static void stored_products(StoredKind kind)
{
    const Stored floats = {.rows = b.rows, .cols = b.cols, .kind = STORED_F32, .data = b.data};
    const Stored layouts[2] = {stored_convert(arena, floats, kind),
                               kind == STORED_INT8 ? stored_quantise(arena, b) : stored_from(arena, b, kind)};
    for (int layout = 0; layout < 2; layout++) {
        const Stored m = layouts[layout];
        stored_expand(out, m);
        for (int rows = 1; rows <= 9; rows += rows < 4 ? 1 : 2) {
            const Matrix some = matrix_rows(a, 0, int_min(rows, a.rows)),
                         result = matrix_new(arena, some.rows, m.rows);
            stored_matmul_nt(result, some, m);
            keep(result);
        }
        stored_matmul(row_out, matrix_reshape(column, 1, m.rows), m);
    }
}

// All eigenpairs of a corner of a, whose upper triangle nobody reads, or a few.
static void symmetric_pairs(bool all)
{
    const int n = matrix_size(a) < 10000 ? 5 : 90, count = all ? n : 2;
    double values[90];
    const Matrix vectors = matrix_new(arena, count, n);
    symmetric_largest(values, vectors, matrix_view(n, n, a.data), count);
    keep_words(values, 2 * (size_t)count);
    keep(vectors);
}

// Seven centres from among the rows, three steps, and the start that k-means++ finds.
static void clusters(void)
{
    const Matrix start = matrix_copy(arena, matrix_rows(b, 0, int_min(7, b.rows)));
    const Kmeans found = kmeans_from(arena, start, a, 3);
    keep(found.centres);
    keep_words(found.labels, (size_t)a.rows);
    number = found.cost;
    kmeans_plus_plus(start, a, &rng);
    keep(start);
}

static void components(void)
{
    const Pca pca = pca_fit(arena, a, int_min(int_min(a.rows, a.cols), 20));
    keep(pca.mean), keep(pca.components), keep(pca.variances);
    number = pca.total_variance;
}

static void isolation(void)
{
    if (a.rows < 2) return;
    const IsolationForest forest = isolation_forest_fit(arena, a, 9, 64, &rng);
    isolation_forest_scores(column_out.data, &forest, b);
}

// Three classes, by L-BFGS and in minibatches
static void logistic(void)
{
    for (int i = 0; i < a.rows; i++) labels[i] %= 3;
    LogisticProblem problem = logistic_problem(arena, a, labels, 3, 0.01f);
    const Matrix weights = matrix_new(arena, a.cols + 1, 3);
    number =
        lbfgs_minimise(arena, weights, logistic_objective, &problem, ((LbfgsOptions){.iterations = 7})).loss;
    keep(weights);
    logistic_sgd(&problem, weights, ((LogisticPlan){.epochs = 1, .batch = 30, .rate = 0.01f}), &rng);
    keep(weights);
    logistic_predict(indices_out, weights, b);
}

// A tree on all features; then one on some rows and drawn features.
static void trees(void)
{
    const TreeTable table = tree_table_new(arena, a);
    const int classes = int_min(a.cols, 12);
    for (int i = 0; i < a.rows; i++) labels[i] %= classes;
    for (int drawn = 0; drawn < 2; drawn++) {
        const TreeOptions options = {.max_depth = 6, .features = drawn ? 2 : 0};
        const Tree *tree =
            tree_fit(arena, &table, labels, classes, options, drawn ? indices : NULL, a.rows, &rng);
        for (int n = 0; n < tree->count; n++) {
            keep_words(&tree->nodes[n].feature, 1), keep_words(&tree->nodes[n].threshold, 1);
            keep_words(&tree->nodes[n].gini, 2);
        }
        tree_predict(indices_out, tree, b);
        keep_words(indices_out, (size_t)a.rows);
    }
}

// One against one, with either kernel, of at most 700 rows of at most 100 columns
static void machines(void)
{
    const int rows = int_min(a.rows, 700), cols = int_min(a.cols, 100);
    const Matrix some = matrix_new(arena, rows, cols), others = matrix_new(arena, rows, cols);
    if (rows < 3) return;
    copy_columns(some, 0, matrix_rows(a, 0, rows), 0, cols),
        copy_columns(others, 0, matrix_rows(b, 0, rows), 0, cols);
    for (int i = 0; i < rows; i++) labels[i] = i % 3;
    for (int linear = 0; linear < 2; linear++) {
        const SvmOptions options = {
            .c = 0.5f, .gamma = linear ? 0.0f : svm_gamma_scale(some), .tolerance = 0.05f};
        const SvmClasses svm = svm_fit_classes(arena, some, labels, 3, options);
        keep(svm.weights), keep(svm.biases);
        keep_words(svm.duals, 2 * (size_t)svm.pairs);
        svm_predict(indices_out, &svm, others);
        keep_words(indices_out, (size_t)rows);
    }
}

// The distance between at most 300 rows of at most 60 columns of a and of b
static void frechet(void)
{
    const int rows = int_min(a.rows, 300), cols = int_min(a.cols, 60);
    const Matrix some = matrix_new(arena, rows, cols), others = matrix_new(arena, rows, cols);
    if (rows < 2) return;
    copy_columns(some, 0, matrix_rows(a, 0, rows), 0, cols);
    copy_columns(others, 0, matrix_rows(positive, 0, rows), 0, cols);
    const Gaussian fit = gaussian_fit(arena, some);
    keep_words(fit.covariance, 2 * (size_t)cols * (size_t)cols);
    number = frechet_distance(fit, gaussian_fit(arena, others));
}

// As many boxes as there are rows, of three labels in five images
static void boxes(void)
{
    const int count = int_min(a.rows, 4000);
    Detection *found = arena_zeros(arena, (size_t)count, sizeof *found);
    TrueBox *truths = arena_zeros(arena, (size_t)count, sizeof *truths);
    for (int i = 0; i < count; i++) {
        const float top = AT(a, i, 0), left = AT(b, i, 0), side = AT(positive, i, 0);
        found[i] =
            (Detection){{top, left, top + side, left + side}, AT(a, i, a.cols - 1), labels[i] % 3, i % 5};
        truths[i] = (TrueBox){{top + 0.1f, left, top + side, left + 1.0f}, labels[i] % 3, i % 5};
    }
    const int kept = non_maximum_suppression(found, count, 0.4, NMS_PER_LABEL);
    for (int i = 0; i < kept; i++) keep_words(&found[i].score, 1);
    number = mean_average_precision(found, kept, truths, count / 2, 3, 0.5, NULL);
}

// A U-Net on small images with times and conditions: what it says, and all gradients; and some steps of both kinds with it
// A small model of Llama's shape asked for logits, in each kind of weights: a text at once, then a token.
static void decoders(void)
{
    enum { TOKENS = 70 };
    const GptConfig config = {.vocabulary = 301,
                              .context = 128,
                              .layers = 2,
                              .heads = 6,
                              .key_heads = 2,
                              .width = 96,
                              .positions = GPT_ROTARY,
                              .norm = NORM_RMS,
                              .activation = BLOCK_SWIGLU,
                              .without_biases = true,
                              .query_key_norm = true};
    Parameters set = parameters_new(arena);
    const Gpt gpt = gpt_new(&set, config, &rng);
    const Decoder trained = decoder_of_gpt(arena, &gpt);
    DecoderCache *cache = decoder_cache_new(arena, &trained, config.context);
    const Matrix logits = matrix_new(arena, TOKENS, config.vocabulary);
    int ids[TOKENS];
    for (int i = 0; i < TOKENS; i++) ids[i] = (int)rng_below(&rng, 301);
    for (int kind = STORED_F32; kind <= STORED_INT8; kind++) {
        const Decoder decoder = decoder_quantise(arena, &trained, (StoredKind)kind);
        decoder_cache_clear(cache);
        decoder_logits(&decoder, cache, logits, ids);
        keep(logits);
        keep(decoder_step(&decoder, cache, ids, 1));
    }
}

static void diffusion(void)
{
    enum { IMAGES = 5, LENGTH = 20 };
    const UnetConfig config = {.side = 6, .channels = 2, .features = 16, .conditions = 3};
    const DiffusionSchedule schedule = diffusion_schedule_new(arena, LENGTH);
    Parameters set = parameters_new(arena);
    Unet unet = unet_new(&set, config, &rng);
    for (int i = 0; i < set.count; i++) {
        Matrix value = set.items[i]->value, noise = normal(value.rows, value.cols);
        add_scaled(value, 0.1f, noise);
    }
    const int times[IMAGES] = {0, 1, 7, 13, 20};
    const Matrix data = normal(IMAGES, 72), noise = normal(IMAGES, 72), conditions = normal(IMAGES, 3);
    Matrix noised = matrix_new(arena, IMAGES, 72), velocity = matrix_new(arena, IMAGES, 72);
    diffusion_noised(noised, data, noise, times, &schedule);
    diffusion_velocity(velocity, data, noise, times, &schedule);
    Tensor *said = unet_forward(&unet, tape, noised, times, conditions);
    keep(said->value);
    backward_from(said, normal(said->value.rows, said->value.cols));
    for (int i = 0; i < set.count; i++) keep(set.items[i]->gradient);
    UnetLearner learner = unet_learner_new(arena, &unet, &set); // adds to these
    unet_learn(&learner, noised, times, conditions, velocity);
    for (int i = 0; i < set.count; i++) keep(set.items[i]->gradient);
    unet_learner_free(&learner);
    UnetPredictor predictor = {.unet = &unet, .conditions = conditions, .guidance = 2.0f};
    diffusion_draw(noised, &schedule, ((DiffusionPath){.steps = 3, .limit = 1.0f}), unet_predict, &predictor,
                   NULL);
    diffusion_draw(velocity, &schedule, ((DiffusionPath){.steps = 4, .randomness = 1.0f}), unet_predict,
                   &predictor, &rng);
    keep(noised), keep(velocity);
}

static Parameters *parameter_set(void)
{
    static Parameters set;
    set = parameters_new(arena);
    copy(parameters_add(&set, "weight", out.rows, out.cols)->value, a);
    return &set;
}

// ---- The kernels ------------------------------------------------------------------------------------------

#define MATRIX_KERNELS(K)                                                                                    \
    K(fill, fill(out, 0.1f))                                                                                 \
    K(fill_uniform, fill_uniform(out, &rng, -2.0f, 3.0f))                                                    \
    K(fill_normal, fill_normal(out, &rng, 1.0f, 2.0f))                                                       \
    K(add, add(out, a, b))                                                                                   \
    K(subtract, subtract(out, a, b))                                                                         \
    K(multiply, multiply(out, a, b))                                                                         \
    K(divide, divide(out, a, positive))                                                                      \
    K(add_scaled, add_scaled(out, 0.3f, b))                                                                  \
    K(scale, scale(out, 1.7f))                                                                               \
    K(add_scalar, add_scalar(out, 1.7f))                                                                     \
    K(add_row, add_row(out, row))                                                                            \
    K(subtract_row, subtract_row(out, row))                                                                  \
    K(multiply_row, multiply_row(out, row))                                                                  \
    K(divide_row, divide_row(out, row))                                                                      \
    K(add_column, add_column(out, column))                                                                   \
    K(multiply_column, multiply_column(out, column))                                                         \
    K(column_sums, column_sums(row_out, a))                                                                  \
    K(column_means, column_means(row_out, a))                                                                \
    K(column_variances, column_variances(row_out, a))                                                        \
    K(row_sums, row_sums(column_out, a))                                                                     \
    K(row_maxima, row_maxima(column_out, a))                                                                 \
    K(row_argmax, row_argmax(indices_out, a))                                                                \
    K(sum, number = sum(a))                                                                                  \
    K(mean, number = mean(a))                                                                                \
    K(sum_of_squares, number = sum_of_squares(a))                                                            \
    K(norm, number = norm(a))                                                                                \
    K(dot, number = dot(a, b))                                                                               \
    K(largest_difference, number = (double)largest_difference(a, b))                                         \
    K(smallest, number = (double)smallest(a))                                                                \
    K(largest, number = (double)largest(a))                                                                  \
    K(all_finite, number = all_finite(a))                                                                    \
    K(transpose, transpose(flipped, a))                                                                      \
    K(gather_rows, gather_rows(out, a, indices))                                                             \
    K(copy_columns, copy_columns(out, out.cols - 1, b, 0, 1))                                                \
    K(matmul, matmul(wide, a, right))                                                                        \
    K(matmul_add, matmul_add(wide, a, right))                                                                \
    K(matmul_tn, matmul_tn(right, a, wide))                                                                  \
    K(matmul_nt, matmul_nt(out, wide, right))                                                                \
    K(rng_next, for (int i = 0; i < out.rows; i++) indices_out[i] = (int)(rng_next(&rng) >> 1))              \
    K(rng_below, for (int i = 0; i < out.rows; i++) indices_out[i] = (int)rng_below(&rng, 1000003))          \
    K(rng_uniform, for (int i = 0; i < out.cols; i++) row_out.data[i] = rng_uniform(&rng))                   \
    K(rng_between, for (int i = 0; i < out.cols; i++) row_out.data[i] = rng_between(&rng, -3.0f, 5.0f))      \
    K(rng_normal, for (int i = 0; i < out.cols; i++) row_out.data[i] = rng_normal(&rng))                     \
    K(rng_normals, rng_normals(&rng, out.data, matrix_size(out)))                                            \
    K(rng_stream, Rng stream = rng_stream(&rng, 7); rng_normals(&stream, out.data, matrix_size(out)))        \
    K(rng_permutation, rng_permutation(&rng, indices_out, out.rows))                                         \
    K(matrix_exponential, Matrix m = matrix_view(5, 5, out.data); matrix_exponential(m, m, 0.3))             \
    K(stored_f32, stored_products(STORED_F32))                                                               \
    K(stored_f16, stored_products(STORED_F16))                                                               \
    K(stored_bf16, stored_products(STORED_BF16))                                                             \
    K(stored_int8, stored_products(STORED_INT8))                                                             \
    K(eigenvalues, Complex values[24]; int n = matrix_size(a) < 576 ? 5 : 24;                                \
      eigenvalues(values, matrix_view(n, n, a.data));                                                        \
      for (int i = 0; i < n; i++) out.data[i] = (float)(complex_size(values[i]) + complex_angle(values[i])))

#define MODEL_KERNELS(K)                                                                                     \
    K(symmetric_all, symmetric_pairs(true))                                                                  \
    K(symmetric_few, symmetric_pairs(false))                                                                 \
    K(kmeans, clusters())                                                                                    \
    K(pca, components())                                                                                     \
    K(tree, trees())                                                                                         \
    K(svm, machines())                                                                                       \
    K(isolation_forest, isolation())                                                                         \
    K(logistic, logistic())                                                                                  \
    K(boxes, boxes())                                                                                        \
    K(decoder, decoders())                                                                                   \
    K(diffusion, diffusion())                                                                                \
    K(frechet, frechet())                                                                                    \
    K(peak_signal_noise_ratio, number = peak_signal_noise_ratio(a, b, 1.0f))

#define LEARNING_KERNELS(K)                                                                                  \
    K(relu, taped(relu(x)))                                                                                  \
    K(leaky_relu, taped(leaky_relu(x, 0.1f)))                                                                \
    K(sigmoid, taped(sigmoid(x)))                                                                            \
    K(hyperbolic_tangent, taped(hyperbolic_tangent(x)))                                                      \
    K(gelu, taped(gelu(x)))                                                                                  \
    K(tanh_gelu, taped(tanh_gelu(x)))                                                                        \
    K(silu, taped(silu(x)))                                                                                  \
    K(swiglu, taped(swiglu(concat_columns(x, y))))                                                           \
    K(softplus, taped(softplus(x)))                                                                          \
    K(exponential, taped(exponential(x)))                                                                    \
    K(sine, taped(sine(x)))                                                                                  \
    K(affine, taped(affine(x, w, bias)))                                                                     \
    K(affine_relu, taped(affine_relu(x, w, bias)))                                                           \
    K(affine_gelu, taped(affine_gelu(x, w, bias)))                                                           \
    K(affine_add, taped(affine_add(tape_variable(tape, wide), x, w, bias)))                                  \
    K(product, taped(product(x, w)))                                                                         \
    K(embedding, taped(embedding(tape, x, indices, out.rows)))                                               \
    K(softmax, taped(softmax(x)))                                                                            \
    K(log_sum_exp, log_sum_exp(column_out, a))                                                               \
    K(cross_entropy, taped(cross_entropy(x, labels)))                                                        \
    K(mean_squared_error, taped(mean_squared_error(x, a)))                                                   \
    K(binary_cross_entropy, taped(binary_cross_entropy(x, positive)))                                        \
    K(accuracy, number = accuracy(a, labels))                                                                \
    K(layer_norm, taped(layer_norm(x, gain, shift)))                                                         \
    K(rms_norm, taped(rms_norm(x, gain)))                                                                    \
    K(batch_norm, if (out.rows > 1) taped(batch_norm(x, gain, shift, &state, true)); keep(state.variance))   \
    K(attention, attended(false, false))                                                                     \
    K(attention_causal, attended(true, false))                                                               \
    K(self_attention, attended(true, true))                                                                  \
    K(attention_in_regions, attended_in_regions())                                                           \
    K(rotary, RotaryShape turned = {.time = sequence_length(out.rows), .heads = 1, .first = 3};              \
      taped(rotary(concat_columns(x, y), turned)))                                                           \
    K(sinusoidal_positions, sinusoidal_positions(out))                                                       \
    K(add_positions, taped(add_positions(x, y, sequence_length(out.rows))))                                  \
    K(product_transposed, taped(product_transposed(x, gain)))                                                \
    K(tied_cross_entropy, x = variable(out.rows, wide.cols); taped(tied_cross_entropy(x, w, labels)))        \
    K(conv2d, set_up_pictures(); taped(conv2d(x, w, bias, grid, window)))                                    \
    K(conv2d_relu, set_up_pictures(); taped(conv2d_relu(x, w, bias, grid, window)))                          \
    K(depthwise, set_up_layered(); taped(conv2d(x, w, bias, grid, window)))                                  \
    K(depthwise_relu, set_up_layered(); taped(conv2d_relu(x, w, bias, grid, window)))                        \
    K(max_pool, set_up_pictures(); taped(max_pool(x, grid, pool_window())))                                  \
    K(max_pool_halves, set_up_pictures(); taped(max_pool(x, grid, window_square(2, 2, 0))))                  \
    K(average_pool, set_up_pictures(); taped(average_pool(x, grid, pool_window())))                          \
    K(global_average_pool, set_up_pictures(); taped(global_average_pool(x, grid)))                           \
    K(upsample, set_up_pictures(); taped(upsample(x, grid, 2)))                                              \
    K(pixel_shuffle, set_up_pictures(); Tensor *twice = concat_columns(x, x);                                \
      taped(pixel_shuffle(concat_columns(twice, twice), grid, 2)))                                           \
    K(group_norm, set_up_pictures(); gain = variable(1, x->value.cols);                                      \
      taped(group_norm(x, gain, variable(1, x->value.cols), grid, 1)))                                       \
    K(product_tn, taped(product_tn(slice_columns(x, 0, out.cols < 8 ? out.cols : 8), y)))                    \
    K(batch_norm_relu, if (out.rows > 1) taped(batch_norm_relu(x, gain, shift, &state, true)))               \
    K(batch_norm_add_relu, if (out.rows > 1) taped(batch_norm_add_relu(x, y, gain, shift, &state, true)))    \
    K(tensor_add, taped(tensor_add(x, y)))                                                                   \
    K(tensor_add_row, taped(tensor_add(x, gain)))                                                            \
    K(tensor_subtract, taped(tensor_subtract(x, y)))                                                         \
    K(tensor_multiply, taped(tensor_multiply(x, y)))                                                         \
    K(tensor_scale, taped(tensor_scale(x, 0.7f)))                                                            \
    K(tensor_divide, taped(tensor_divide(x, tape_variable(tape, positive))))                                 \
    K(tensor_minimum, taped(tensor_minimum(x, y)))                                                           \
    K(tensor_clamp, taped(tensor_clamp(x, -0.5f, 1.0f)))                                                     \
    K(tensor_multiply_row, taped(tensor_multiply_row(x, gain)))                                              \
    K(tensor_multiply_column, taped(tensor_multiply_column(x, tape_variable(tape, column))))                 \
    K(scale_by, taped(scale_by(x, scalar)))                                                                  \
    K(logarithm, taped(logarithm(tape_variable(tape, positive))))                                            \
    K(square_root, taped(square_root(tape_variable(tape, positive))))                                        \
    K(normalise_rows, taped(normalise_rows(x, 1e-12f)))                                                      \
    K(row_log_probabilities, taped(row_log_probabilities(x, labels)))                                        \
    K(cross_entropy_weighted, taped(cross_entropy_weighted(x, labels, column.data)))                         \
    K(soft_cross_entropy, taped(soft_cross_entropy(x, positive)))                                            \
    K(segment_sums, taped(segment_sums(x, indices, out.rows)))                                               \
    K(concat_columns, taped(concat_columns(x, y)))                                                           \
    K(concat_rows, taped(concat_rows(x, y)))                                                                 \
    K(slice_columns, taped(slice_columns(x, out.cols / 2, 1)))                                               \
    K(slice_rows, taped(slice_rows(x, out.rows / 2, 1)))                                                     \
    K(sum_all, taped(sum_all(x)))                                                                            \
    K(mean_all, taped(mean_all(x)))                                                                          \
    K(tensor_row_means, taped(tensor_row_means(x)))                                                          \
    K(tensor_column_means, taped(tensor_column_means(x)))                                                    \
    K(dropout, taped(dropout(x, 0.4f, &rng, true)))                                                          \
    K(rnn, recurrent(1, RNN_TANH))                                                                           \
    K(rnn_relu, recurrent(1, RNN_RELU))                                                                      \
    K(lstm, recurrent(4, RNN_LINEAR))                                                                        \
    K(gru, recurrent(3, RNN_LINEAR))                                                                         \
    K(linear_recurrence, taped(linear_recurrence(x, y, sequences())))                                        \
    K(linear_recurrence_shared, taped(linear_recurrence(gain, x, sequences())))                              \
    K(linear_recurrence_scan, linear_recurrence_scan(arena, out, a, b, sequences()))                         \
    K(causal_conv, w = variable(5, out.cols); taped(causal_conv(x, w, sequences())))                         \
    K(last_steps, taped(last_steps(x, sequences())))                                                         \
    K(sgd, stepped(set, sgd_new(arena, set, 0.01f)))                                                         \
    K(momentum, stepped(set, momentum_new(arena, set, 0.9f, 0.01f)))                                         \
    K(nesterov, stepped(set, nesterov_new(arena, set, 0.9f, 0.01f)))                                         \
    K(rmsprop, stepped(set, rmsprop_new(arena, set, 0.99f, 1e-8f, 0.01f)))                                   \
    K(adam, stepped(set, adam_new(arena, set, 0.9f, 0.999f, 1e-8f, 0.01f)))                                  \
    K(adamw, stepped(set, adamw_new(arena, set, 0.9f, 0.999f, 1e-8f, 0.01f)))                                \
    K(cosine_schedule, number = (double)cosine_schedule(0.1f, out.rows, 3, 50000))                           \
    K(clip_gradients, fill(tensor_gradient(set->items[0]), 0.1f); number = clip_gradients(set, 1.0f))        \
    K(least_squares_sgd, LeastSquaresPlan plan = {2, 32, 1e-5f};                                             \
      Matrix weights = matrix_new(arena, out.cols, 1);                                                       \
      least_squares_sgd(arena, weights, a, column, plan, &rng); keep(weights))                               \
    K(least_squares_solve, Matrix weights = matrix_new(arena, out.cols, 1);                                  \
      if (out.rows > out.cols) least_squares_solve(weights, a, column); keep(weights))

typedef struct {
    const char *name;
    void (*run)(void);
} Kernel;

#define MATRIX_FUNCTION(name, ...)                                                                           \
    static void run_##name(void) { __VA_ARGS__; }
#define LEARNING_FUNCTION(name, ...)                                                                         \
    static void run_##name(void)                                                                             \
    {                                                                                                        \
        Parameters *set = parameter_set();                                                                   \
        set_up_tape(out.rows, out.cols, wide.cols);                                                          \
        __VA_ARGS__;                                                                                         \
        (void)set;                                                                                           \
    }
#define TABLE_LINE(name, ...) {#name, run_##name},

MATRIX_KERNELS(MATRIX_FUNCTION)
LEARNING_KERNELS(LEARNING_FUNCTION)
MODEL_KERNELS(MATRIX_FUNCTION)
static const Kernel kernels[] = {MATRIX_KERNELS(TABLE_LINE) LEARNING_KERNELS(TABLE_LINE)
                                     MODEL_KERNELS(TABLE_LINE)};

// Functions of one float: every 4099th of all floats, infinities and NaNs among them, in a loop that becomes
// vector code.
#define FLOAT_FUNCTIONS(F)                                                                                   \
    F(exp32)                                                                                                 \
    F(expm1_32)                                                                                              \
    F(log32)                                                                                                 \
    F(log1p32)                                                                                               \
    F(tanh32) F(sigmoid32) F(silu32) F(softplus32) F(sin32) F(cos32) F(erf32) F(gelu32) F(gelu32_slope)

enum { BLOCK = 1024 };

#define FLOAT_FUNCTION(f)                                                                                    \
    static void block_##f(float *results, const float *values)                                               \
    {                                                                                                        \
        for (int i = 0; i < BLOCK; i++) results[i] = f(values[i]);                                           \
    }
#define FLOAT_LINE(f) {#f, block_##f},

FLOAT_FUNCTIONS(FLOAT_FUNCTION)
static const struct {
    const char *name;
    void (*block)(float *results, const float *values);
} float_functions[] = {FLOAT_FUNCTIONS(FLOAT_LINE)};

static void run_float_function(void (*block)(float *results, const float *values))
{
    float values[BLOCK], results[BLOCK];
    for (uint32_t i = 0; i < (1u << 20) / BLOCK; i++) {
        for (uint32_t j = 0; j < BLOCK; j++) values[j] = float_from_bits((i * BLOCK + j) * 4099u);
        block(results, values);
        keep_words(results, BLOCK);
    }
}

// Products of all kinds: m, n, k around the sizes where the fast product changes its way.
static const GemmShape products[] = {
    {.m = 1, .n = 1, .k = 1},       {.m = 3, .n = 5, .k = 7},      {.m = 14, .n = 32, .k = 64},
    {.m = 129, .n = 65, .k = 257},  {.m = 1, .n = 700, .k = 500},  {.m = 700, .n = 1, .k = 500},
    {.m = 300, .n = 200, .k = 1},   {.m = 64, .n = 128, .k = 784}, {.m = 2000, .n = 16, .k = 9},
    {.m = 16, .n = 100, .k = 3000}, {.m = 97, .n = 515, .k = 130},
};

// Leading dimensions larger than needed; the floats between the rows belong to the result and must not
// change.
static void run_gemm(GemmShape shape)
{
    int lda = (shape.transpose_a ? shape.m : shape.k) + 3, ldb = (shape.transpose_b ? shape.k : shape.n) + 1,
        ldc = shape.n + 2;
    Matrix left = normal(shape.transpose_a ? shape.k : shape.m, lda),
           second = normal(shape.transpose_b ? shape.n : shape.k, ldb);
    Matrix result = normal(shape.m, ldc);
    gemm(shape, left.data, lda, second.data, ldb, result.data, ldc);
    keep(result);
}

// ---- Main -------------------------------------------------------------------------------------------------

static bool asked_for(const char *name, int count, char **names)
{
    bool found = count == 0;
    for (int i = 0; i < count; i++) found = found || strstr(name, names[i]);
    return found;
}

static void begin(void) { hash = 0xcbf29ce484222325u; }
static void end(const char *name) { printf("%s %016" PRIx64 "\n", name, hash); }

static void all_products(int count, char **names)
{
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        for (int kind = 0; kind < 8; kind++) {
            GemmShape shape = products[i];
            shape.transpose_a = kind & 1, shape.transpose_b = kind & 2, shape.accumulate = kind & 4;
            char name[64];
            snprintf(name, sizeof name, "gemm_%c%c%s_%dx%dx%d", "nt"[kind & 1], "nt"[kind >> 1 & 1],
                     kind & 4 ? "_add" : "", shape.m, shape.k, shape.n);
            if (!asked_for(name, count, names)) continue;
            begin();
            set_up(1, 1, 1);
            run_gemm(shape);
            end(name);
        }
    }
}

int main(int argc, char **argv)
{
    int count = argc - 1;
    char **names = argv + 1;
    arena = arena_new();
    tape = tape_new();
    for (size_t i = 0; i < sizeof float_functions / sizeof *float_functions; i++) {
        if (!asked_for(float_functions[i].name, count, names)) continue;
        begin();
        run_float_function(float_functions[i].block);
        end(float_functions[i].name);
    }
    all_products(count, names);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (!asked_for(kernels[i].name, count, names)) continue;
        begin();
        for (int s = 0; s < SHAPES; s++) {
            set_up(shapes[s].rows, shapes[s].cols, shapes[s].width);
            kernels[i].run();
            keep_outputs();
        }
        end(kernels[i].name);
    }
    tape_free(tape);
    arena_free(arena);
    return 0;
}
