// The library against another implementation: the numbers of tests/reference, whose make.py says where they come from. A
// convention that code, gradient check and naive twin have in common is seen here alone.
#include "reference.h"
#include "learning/ops/activation.h"
#include "learning/ops/attention.h"
#include "learning/ops/conv.h"
#include "learning/ops/elementwise.h"
#include "learning/ops/group_norm.h"
#include "learning/ops/likelihood.h"
#include "learning/ops/norm.h"
#include "learning/ops/pool.h"
#include "learning/ops/position.h"
#include "learning/ops/recurrent.h"
#include "learning/ops/resample.h"
#include "learning/optim.h"
#include "models/block.h"

// ---- Layers as files give them ---------------------------------------------------------------------------------

static Tensor *input(const Reference *r, const char *name) { return tape_variable(r->tape, given(r, name)); }

// What came out, and the gradients of the inputs (names without d_) under the upstream gradient "d_y".
static void expect_layer(const Reference *r, Tensor *y, Tensor *const *inputs, const char *const *names,
                         int count)
{
    char name[48];
    expect_matrix(r, "y", y->value);
    backward_from(y, given(r, "d_y"));
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "d_%s", names[i]);
        expect_matrix(r, name, inputs[i]->gradient);
    }
}

// ---- Layers ----------------------------------------------------------------------------------------------------

START_TEST(recurrent_layers)
{
    static const char *const files[] = {"rnn", "lstm", "gru"}, *const names[] = {"x", "w", "u", "b", "b_u"};
    const Sequences shape = {2, 4};
    for (int kind = 0; kind < 3; kind++) {
        Reference r = reference_open(files[kind]);
        Tensor *in[5] = {NULL};
        const int count = kind == 2 ? 5 : 4;
        for (int i = 0; i < count; i++) in[i] = input(&r, names[i]);
        Tensor *y = kind == 0   ? rnn(in[0], in[1], in[2], in[3], shape, RNN_TANH, NULL)
                    : kind == 1 ? lstm(in[0], in[1], in[2], in[3], shape, NULL)
                                : gru(in[0], in[1], in[2], in[3], in[4], shape, NULL);
        expect_layer(&r, y, in, names, count);
        reference_close(&r);
    }
}
END_TEST

START_TEST(normalisations)
{
    static const char *const names[] = {"x", "gain", "bias"};
    Reference r = reference_open("layer_norm");
    Tensor *in[3];
    for (int i = 0; i < 3; i++) in[i] = input(&r, names[i]);
    expect_layer(&r, layer_norm(in[0], in[1], in[2]), in, names, 3);
    reference_close(&r);

    r = reference_open("rms_norm");
    for (int i = 0; i < 2; i++) in[i] = input(&r, names[i]);
    expect_layer(&r, rms_norm(in[0], in[1]), in, names, 2);
    reference_close(&r);

    r = reference_open("batch_norm");
    for (int i = 0; i < 3; i++) in[i] = input(&r, names[i]);
    BatchNormState state = batch_norm_state_new(r.arena, 3);
    expect_layer(&r, batch_norm(in[0], in[1], in[2], &state, true), in, names, 3);
    expect_matrix(&r, "mean", state.mean);
    expect_matrix(&r, "variance", state.variance);
    expect_matrix(&r, "later", batch_norm(in[0], in[1], in[2], &state, false)->value);
    reference_close(&r);
}
END_TEST

START_TEST(convolution_and_pooling)
{
    static const char *const names[] = {"x", "w", "b"};
    const Grid grid = {2, 5, 6};
    Reference r = reference_open("conv2d");
    Tensor *in[3];
    for (int i = 0; i < 3; i++) in[i] = input(&r, names[i]);
    expect_layer(&r, conv2d(in[0], in[1], in[2], grid, ((Window){3, 3, 2, 1, 2})), in, names, 3);
    reference_close(&r);
    for (int kind = 0; kind < 2; kind++) {
        r = reference_open(kind ? "average_pool" : "max_pool");
        in[0] = input(&r, "x");
        const Window window = window_square(3, 2, 1);
        expect_layer(&r, kind ? average_pool(in[0], grid, window) : max_pool(in[0], grid, window), in, names,
                     1);
        reference_close(&r);
    }
}
END_TEST

START_TEST(attention_and_positions)
{
    static const char *const names[] = {"q", "k", "v"}, *const x[] = {"x"};
    Reference r = reference_open("attention");
    Tensor *in[3];
    for (int i = 0; i < 3; i++) in[i] = input(&r, names[i]);
    const AttentionShape shape = {
        .batch = 2, .queries = 3, .keys = 5, .heads = 4, .key_heads = 2, .causal = true};
    expect_layer(&r, attention(in[0], in[1], in[2], shape), in, names, 3);
    reference_close(&r);

    r = reference_open("attention_shaped");
    static const char *const shaped[] = {"q", "k", "v", "bias"};
    Tensor *four[4];
    for (int i = 0; i < 4; i++) four[i] = input(&r, shaped[i]);
    const AttentionShape within = {.batch = 2,
                                   .queries = 3,
                                   .keys = 4,
                                   .heads = 2,
                                   .query_regions = whole_numbers(&r, "query_regions"),
                                   .key_regions = whole_numbers(&r, "key_regions")};
    expect_layer(&r, attention_biased(four[0], four[1], four[2], four[3], within), four, shaped, 4);
    reference_close(&r);

    r = reference_open("rotary");
    in[0] = input(&r, "x");
    expect_layer(&r, rotary(in[0], ((RotaryShape){.time = 4, .heads = 2, .first = 2})), in, x, 1);
    reference_close(&r);
}
END_TEST

// ---- Blocks of a Transformer ----------------------------------------------------------------------------------

static void expect_block(const char *file, BlockConfig config, BlockInputs in)
{
    const double bound =
        1e-4; // some ten operations deep, rounding adds up; another convention differs by about 1
    Reference r = reference_open(file);
    Parameters set = parameters_new(r.arena);
    config.width = 6;
    config.heads = 2;
    config.hidden = 5;
    const Block block = block_new(&set, "", config, NULL);
    for (int i = 0; i < set.count; i++) copy(set.items[i]->value, given(&r, set.names[i]));
    Tensor *x = input(&r, "x");
    if (config.cross) in.memory = input(&r, "memory");
    expect_within(&r, "y", block_forward_at(HERE, &block, x, in)->value, bound);
    backward_from(tape_node(r.tape, tape_length(r.tape) - 1), given(&r, "d_y"));
    expect_within(&r, "d_x", x->gradient, bound);
    if (config.cross) expect_within(&r, "d_memory", in.memory->gradient, bound);
    for (int i = 0; i < set.count; i++) {
        char name[48];
        snprintf(name, sizeof name, "d_%s", set.names[i]);
        expect_within(&r, name, set.items[i]->gradient, bound);
    }
    reference_close(&r);
}

START_TEST(blocks)
{
    const int counts[] = {4, 3};
    AttentionShape padded = self_attention_shape(2, 4, 0, false);
    padded.key_counts = counts;
    expect_block("encoder_layer", (BlockConfig){0}, (BlockInputs){.self = padded});
    expect_block("encoder_layer_post", (BlockConfig){.post_norm = true, .activation = BLOCK_RELU},
                 (BlockInputs){.self = padded});
    expect_block("decoder_layer", (BlockConfig){.cross = true},
                 (BlockInputs){.self = self_attention_shape(2, 4, 0, true),
                               .cross = {.batch = 2, .queries = 4, .keys = 3}});
}
END_TEST

// ---- Losses and functions of elements ----------------------------------------------------------------------------

// The value of this name, and the gradient of x under "name.d_y".
static void expect_function(const Reference *r, const char *name, Tensor *y, Tensor *x)
{
    char part[48];
    expect_matrix(r, name, y->value);
    snprintf(part, sizeof part, "%s.d_y", name);
    x->has_gradient = false;
    backward_from(y, given(r, part));
    snprintf(part, sizeof part, "%s.d_x", name);
    expect_matrix(r, part, x->gradient);
}

START_TEST(losses)
{
    Reference r = reference_open("losses");
    const Matrix numbers = given(&r, "labels"), targets = given(&r, "targets");
    int labels[5];
    for (int i = 0; i < 5; i++) labels[i] = (int)numbers.data[i];
    Tensor *x = input(&r, "x");
    expect_function(&r, "softmax", softmax(x), x);
    expect_function(&r, "cross_entropy", cross_entropy(x, labels), x);
    expect_function(&r, "row_log_probabilities", row_log_probabilities(x, labels), x);
    expect_function(&r, "cross_entropy_weighted",
                    cross_entropy_weighted(x, labels, given(&r, "weights").data), x);
    expect_function(&r, "soft_cross_entropy", soft_cross_entropy(x, targets), x);
    expect_function(&r, "binary_cross_entropy", binary_cross_entropy(x, targets), x);
    expect_function(&r, "mean_squared_error", mean_squared_error(x, targets), x);
    reference_close(&r);
}
END_TEST

START_TEST(functions_of_elements)
{
    Reference r = reference_open("elements");
    Tensor *x = input(&r, "x"), *positive = input(&r, "positive");
    expect_function(&r, "relu", relu(x), x);
    expect_function(&r, "leaky_relu", leaky_relu(x, 0.2f), x);
    expect_function(&r, "sigmoid", sigmoid(x), x);
    expect_function(&r, "hyperbolic_tangent", hyperbolic_tangent(x), x);
    expect_function(&r, "gelu", gelu(x), x);
    expect_function(&r, "silu", silu(x), x);
    expect_function(&r, "softplus", softplus(x), x);
    expect_function(&r, "exponential", exponential(x), x);
    expect_function(&r, "sine", sine(x), x);
    expect_function(&r, "tensor_clamp", tensor_clamp(x, -0.7f, 1.1f), x);
    expect_function(&r, "normalise_rows", normalise_rows(x, 1e-12f), x);
    expect_function(&r, "logarithm", logarithm(positive), positive);
    expect_function(&r, "square_root", square_root(positive), positive);
    reference_close(&r);
}
END_TEST

// As expect_layer, for a file of several layers: their numbers stand under "layer.x", "layer.d_x".
static void expect_named(const Reference *r, const char *layer, Tensor *y, Tensor *const *inputs,
                         const char *const *names, int count)
{
    char name[80];
    expect_matrix(r, layer, y->value);
    snprintf(name, sizeof name, "%s.d_y", layer);
    backward_from(y, given(r, name));
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s.d_%s", layer, names[i]);
        expect_matrix(r, name, inputs[i]->gradient);
    }
}

START_TEST(resampling_and_group_norm)
{
    static const char *const x[] = {"x"}, *const xwb[] = {"x", "w", "b"},
                             *const norm[] = {"x", "gain", "bias"};
    const Grid grid = {2, 3, 4}, large = {2, 4, 6};
    Reference r = reference_open("resampling");
    Tensor *in[3] = {input(&r, "upsample.x")};
    expect_named(&r, "upsample", upsample(in[0], grid, 2), in, x, 1);
    in[0] = input(&r, "pixel_shuffle.x");
    expect_named(&r, "pixel_shuffle", pixel_shuffle(in[0], grid, 2), in, x, 1);
    in[0] = input(&r, "pixel_unshuffle.x");
    expect_named(&r, "pixel_unshuffle", pixel_unshuffle(in[0], large, 2), in, x, 1);
    in[0] = input(&r, "conv2d_transposed.x");
    in[1] = input(&r, "conv2d_transposed.w");
    in[2] = input(&r, "conv2d_transposed.b");
    expect_named(&r, "conv2d_transposed",
                 conv2d_transposed(in[0], in[1], in[2], grid, window_square(4, 2, 1)), in, xwb, 3);
    in[0] = input(&r, "group_norm.x");
    in[1] = input(&r, "group_norm.gain");
    in[2] = input(&r, "group_norm.bias");
    expect_named(&r, "group_norm", group_norm(in[0], in[1], in[2], grid, 3), in, norm, 3);
    reference_close(&r);
}
END_TEST

// ---- Optimisers ----------------------------------------------------------------------------------------------------

static void expect_path(const Reference *r, const char *name, Parameters *set, Optimiser optimiser)
{
    const Matrix gradients = given(r, "gradients");
    Tensor *theta = set->items[0];
    Matrix path = matrix_new(r->arena, gradients.rows, gradients.cols);
    copy(theta->value, given(r, "start"));
    for (int step = 0; step < gradients.rows; step++) {
        copy(tensor_gradient(theta), matrix_rows(gradients, step, 1));
        optimiser_step(&optimiser, 0.1f);
        copy(matrix_rows(path, step, 1), theta->value);
    }
    expect_matrix(r, name, path);
}

START_TEST(optimisers)
{
    Reference r = reference_open("optimisers");
    Parameters set = parameters_new(r.arena);
    const float decay = 0.05f, small = 1e-3f;
    parameters_add(&set, "theta", 1, 4);
    expect_path(&r, "sgd", &set, sgd_new(r.arena, &set, decay));
    expect_path(&r, "momentum", &set, momentum_new(r.arena, &set, 0.9f, decay));
    expect_path(&r, "nesterov", &set, nesterov_new(r.arena, &set, 0.9f, decay));
    expect_path(&r, "rmsprop", &set, rmsprop_new(r.arena, &set, 0.9f, small, decay));
    expect_path(&r, "adam", &set, adam_new(r.arena, &set, 0.8f, 0.95f, small, decay));
    expect_path(&r, "adamw", &set, adamw_new(r.arena, &set, 0.8f, 0.95f, small, decay));
    reference_close(&r);
}
END_TEST

START_TEST(later_elements)
{
    Reference r = reference_open("elements_later");
    Tensor *x = input(&r, "x"), *small = input(&r, "small"), *gain = input(&r, "gain"),
           *bias = input(&r, "bias");
    expect_function(&r, "tanh_gelu", tanh_gelu(x), x);
    expect_function(&r, "layer_norm", layer_norm_at(HERE, small, gain, bias, 1e-3f), small);
    expect_function(&r, "rms_norm", rms_norm_at(HERE, small, gain, 1e-3f), small);
    reference_close(&r);
}
END_TEST

SUITE("reference", blocks, later_elements, recurrent_layers, normalisations, convolution_and_pooling,
      attention_and_positions, losses, functions_of_elements, resampling_and_group_norm, optimisers)
