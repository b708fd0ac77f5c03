// nn.c: layers. See nn.h.
#include "models/nn.h"
#include "matrix/gemm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *layer_name(Parameters *set, const char *name, const char *part, int index)
{
    char number[16] = "";
    if (index >= 0) snprintf(number, sizeof number, "%d", index);
    size_t size = strlen(name) + 1 + strlen(part) + strlen(number) + 1;
    char *text = arena_alloc(set->arena, size, 1);
    snprintf(text, size, "%s%s%s%s", name, name[0] ? "." : "", part, number);
    return text;
}

static Tensor *part(Place place, Parameters *set, const char *name, const char *what, int rows, int cols)
{
    return parameters_add_at(place, set, layer_name(set, name, what, -1), rows, cols);
}

void initialise(Matrix weight, Initialiser initialiser, Rng *rng)
{
    if (!rng) return;
    int in = weight.rows, out = weight.cols;
    float reach;
    switch (initialiser) {
    case INIT_ZERO:
        fill(weight, 0.0f);
        break;
    case INIT_HE:
        fill_normal(weight, rng, 0.0f, he_deviation(in));
        break;
    case INIT_GLOROT:
        fill_normal(weight, rng, 0.0f, glorot_deviation(in, out));
        break;
    case INIT_LECUN:
        fill_normal(weight, rng, 0.0f, sqrtf(1.0f / (float)in));
        break;
    case INIT_GLOROT_UNIFORM:
        reach = sqrtf(6.0f / ((float)in + (float)out));
        fill_uniform(weight, rng, -reach, reach);
        break;
    case INIT_FAN_IN_UNIFORM:
        reach = sqrtf(1.0f / (float)in);
        fill_uniform(weight, rng, -reach, reach);
        break;
    }
}

Linear linear_new_at(Place place, Parameters *set, const char *name, int inputs, int outputs, Rng *rng,
                     Initialiser initialiser, bool with_bias)
{
    check_at(place, inputs > 0 && outputs > 0, "count the features on both sides",
             "linear_new: %s from %d to %d features", name, inputs, outputs);
    Linear layer = {.weight = part(place, set, name, "weight", inputs, outputs)};
    initialise(layer.weight->value, initialiser, rng);
    if (!with_bias) return layer;
    layer.bias = part(place, set, name, "bias", 1, outputs);
    if (initialiser == INIT_FAN_IN_UNIFORM && rng) {
        float reach = sqrtf(1.0f / (float)inputs);
        fill_uniform(layer.bias->value, rng, -reach, reach);
    }
    return layer;
}

// r + what LoRA adds; r itself where the layer has none.
static Tensor *with_lora(Place place, const Linear *layer, Tensor *r, Tensor *x)
{
    if (!layer->lora_a) return r;
    Tensor *low = tensor_scale_at(place, product_at(place, x, layer->lora_a), layer->lora_scale);
    return affine_add_at(place, r, low, layer->lora_b, NULL);
}

Tensor *linear_at(Place place, const Linear *layer, Tensor *x)
{
    return with_lora(place, layer, affine_at(place, x, layer->weight, layer->bias), x);
}

Tensor *linear_relu_at(Place place, const Linear *layer, Tensor *x)
{
    return layer->lora_a ? relu_at(place, linear_at(place, layer, x))
                         : affine_relu_at(place, x, layer->weight, layer->bias);
}

Tensor *linear_gelu_at(Place place, const Linear *layer, Tensor *x)
{
    return layer->lora_a ? gelu_at(place, linear_at(place, layer, x))
                         : affine_gelu_at(place, x, layer->weight, layer->bias);
}

Tensor *linear_add_at(Place place, const Linear *layer, Tensor *r, Tensor *x)
{
    return with_lora(place, layer, affine_add_at(place, r, x, layer->weight, layer->bias), x);
}

void linear_add_lora_at(Place place, Linear *layer, Parameters *set, const char *name, int rank, float alpha,
                        Rng *rng)
{
    const int inputs = layer->weight->value.rows, outputs = layer->weight->value.cols;
    check_at(place, !layer->lora_a, "linear_merge the first one", "linear_add_lora: %s has one already",
             name);
    check_at(place, rank > 0 && rank <= int_min(inputs, outputs),
             "8 is usual, and fewer than the features on both sides",
             "linear_add_lora: %s from %d to %d features with rank %d", name, inputs, outputs, rank);
    layer->lora_a = part(place, set, name, "lora_a", inputs, rank);
    layer->lora_b = part(place, set, name, "lora_b", rank, outputs);
    layer->lora_scale = alpha / (float)rank;
    initialise(layer->lora_a->value, INIT_FAN_IN_UNIFORM, rng);
    layer->weight->wants_gradient = layer->weight->has_gradient = false;
    if (layer->bias) layer->bias->wants_gradient = layer->bias->has_gradient = false;
}

void linear_merge(Linear *layer)
{
    if (!layer->lora_a) return;
    scale(layer->lora_b->value, layer->lora_scale);
    matmul_add(layer->weight->value, layer->lora_a->value, layer->lora_b->value);
    fill(layer->lora_b->value, 0.0f); // a file of the whole set must not add it once more
    layer->lora_a = layer->lora_b = NULL;
}

Conv conv_new_at(Place place, Parameters *set, const char *name, int inputs, int outputs, Window window,
                 Rng *rng, Initialiser initialiser, bool with_bias)
{
    const int groups = int_max(1, window.groups);
    check_at(place, inputs > 0 && outputs > 0 && inputs % groups == 0 && outputs % groups == 0,
             "the groups share the channels equally, in and out",
             "conv_new: %s from %d to %d channels in %d groups", name, inputs, outputs, groups);
    check_at(place, window.height > 0 && window.width > 0,
             "a window is {height, width, stride, padding, groups}",
             "conv_new: %s with a window of %d × %d pixels", name, window.height, window.width);
    const int seen = window.height * window.width * (inputs / groups);
    Linear taps = linear_new_at(place, set, name, seen, outputs, rng, initialiser, with_bias);
    return (Conv){taps.weight, taps.bias, window};
}

Tensor *conv_at(Place place, const Conv *layer, Tensor *x, Grid grid)
{
    return conv2d_at(place, x, layer->weight, layer->bias, grid, layer->window);
}

Tensor *conv_relu_at(Place place, const Conv *layer, Tensor *x, Grid grid)
{
    return conv2d_relu_at(place, x, layer->weight, layer->bias, grid, layer->window);
}

static Tensor *ones(Place place, Parameters *set, const char *name, const char *what, int features)
{
    Tensor *parameter = part(place, set, name, what, 1, features);
    fill(parameter->value, 1.0f);
    return parameter;
}

LayerNorm layer_norm_new_at(Place place, Parameters *set, const char *name, int features)
{
    return (LayerNorm){.gain = ones(place, set, name, "gain", features),
                       .bias = part(place, set, name, "bias", 1, features)};
}

Tensor *layer_normalise_at(Place place, const LayerNorm *layer, Tensor *x)
{
    return layer_norm_at(place, x, layer->gain, layer->bias, NORM_EPSILON);
}

RmsNorm rms_norm_new_at(Place place, Parameters *set, const char *name, int features)
{
    return (RmsNorm){.gain = ones(place, set, name, "gain", features)};
}

Tensor *rms_normalise_at(Place place, const RmsNorm *layer, Tensor *x)
{
    return rms_norm_at(place, x, layer->gain, NORM_EPSILON);
}

Norm norm_new_at(Place place, Parameters *set, const char *name, NormKind kind, int features, float epsilon)
{
    check_at(place, epsilon >= 0.0f, "1e-5 is usual", "%s: a norm with epsilon %g", name, (double)epsilon);
    return (Norm){.gain = ones(place, set, name, "gain", features),
                  .bias = kind == NORM_RMS ? NULL : part(place, set, name, "bias", 1, features),
                  .epsilon = epsilon > 0.0f ? epsilon : NORM_EPSILON};
}

Tensor *norm_normalise_at(Place place, const Norm *layer, Tensor *x)
{
    return layer->bias ? layer_norm_at(place, x, layer->gain, layer->bias, layer->epsilon)
                       : rms_norm_at(place, x, layer->gain, layer->epsilon);
}

BatchNorm batch_norm_new_at(Place place, Parameters *set, const char *name, int features)
{
    Tensor *mean = part(place, set, name, "running_mean", 1, features);
    Tensor *variance = ones(place, set, name, "running_variance", features);
    mean->wants_gradient = variance->wants_gradient = false;
    return (BatchNorm){
        .gain = ones(place, set, name, "gain", features),
        .bias = part(place, set, name, "bias", 1, features),
        .state = {.mean = mean->value, .variance = variance->value, .momentum = 0.1f, .small = 1e-5f}};
}

Tensor *batch_normalise_at(Place place, BatchNorm *layer, Tensor *x, bool training)
{
    return batch_norm_at(place, x, layer->gain, layer->bias, &layer->state, training);
}

Tensor *batch_normalise_relu_at(Place place, BatchNorm *layer, Tensor *x, bool training)
{
    return batch_norm_relu_at(place, x, layer->gain, layer->bias, &layer->state, training);
}

Tensor *batch_normalise_add_relu_at(Place place, BatchNorm *layer, Tensor *x, Tensor *shortcut, bool training)
{
    return batch_norm_add_relu_at(place, x, shortcut, layer->gain, layer->bias, &layer->state, training);
}

Embedding embedding_new_at(Place place, Parameters *set, const char *name, int vocabulary, int features,
                           Rng *rng, float deviation)
{
    Embedding layer = {.table = part(place, set, name, "table", vocabulary, features)};
    if (rng) fill_normal(layer.table->value, rng, 0.0f, deviation);
    return layer;
}

Tensor *embed_at(Place place, Tape *tape, const Embedding *layer, const int *ids, int count)
{
    return embedding_at(place, tape, layer->table, ids, count);
}

Mlp mlp_new_at(Place place, Parameters *set, const char *name, const int *sizes, int size_count, Rng *rng,
               Initialiser initialiser)
{
    check_at(place, size_count >= 2, "give the sizes of the input, the hidden layers and the output",
             "mlp_new: %s has %d sizes", name, size_count);
    Mlp model = {.layers = arena_alloc_at(place, set->arena, (size_t)size_count - 1, sizeof(Linear)),
                 .count = size_count - 1};
    for (int i = 0; i < model.count; i++)
        model.layers[i] = linear_new_at(place, set, layer_name(set, name, "", i), sizes[i], sizes[i + 1], rng,
                                        initialiser, true);
    return model;
}

Tensor *mlp_at(Place place, const Mlp *model, Tensor *x)
{
    for (int i = 0; i < model->count - 1; i++) x = linear_relu_at(place, &model->layers[i], x);
    return linear_at(place, &model->layers[model->count - 1], x);
}

// ---- Recurrent layers -------------------------------------------------------------------------------------

// Input and recurrent weights of a cell whose gates stand side by side, and a bias of zeros.
typedef struct {
    Tensor *weight, *recurrent, *bias;
} Gates;

static Gates gates_new(Place place, Parameters *set, const char *name, int inputs, int hidden, int gates,
                       Rng *rng)
{
    check_at(place, inputs > 0 && hidden > 0, "count the input features and the hidden units",
             "%s: a recurrent layer from %d inputs to %d hidden units", name, inputs, hidden);
    Gates made = {.weight = part(place, set, name, "weight", inputs, gates * hidden),
                  .recurrent = part(place, set, name, "recurrent", hidden, gates * hidden),
                  .bias = part(place, set, name, "bias", 1, gates * hidden)};
    if (rng) fill_normal(made.weight->value, rng, 0.0f, glorot_deviation(inputs, hidden));
    if (rng) fill_normal(made.recurrent->value, rng, 0.0f, sqrtf(1.0f / (float)hidden));
    return made;
}

Rnn rnn_new_at(Place place, Parameters *set, const char *name, int inputs, int hidden, Rng *rng, RnnKind kind)
{
    Gates made = gates_new(place, set, name, inputs, hidden, 1, rng);
    return (Rnn){made.weight, made.recurrent, made.bias, kind};
}

Tensor *rnn_states_at(Place place, const Rnn *layer, Tensor *x, Sequences shape, RecurrentState *state)
{
    return rnn_at(place, x, layer->weight, layer->recurrent, layer->bias, shape, layer->kind, state);
}

Lstm lstm_new_at(Place place, Parameters *set, const char *name, int inputs, int hidden, Rng *rng,
                 float forget_bias)
{
    Gates made = gates_new(place, set, name, inputs, hidden, 4, rng);
    for (int j = hidden; j < 2 * hidden; j++) made.bias->value.data[j] = forget_bias; // i, f, g, o
    return (Lstm){made.weight, made.recurrent, made.bias};
}

Tensor *lstm_states_at(Place place, const Lstm *layer, Tensor *x, Sequences shape, RecurrentState *state)
{
    return lstm_at(place, x, layer->weight, layer->recurrent, layer->bias, shape, state);
}

Gru gru_new_at(Place place, Parameters *set, const char *name, int inputs, int hidden, Rng *rng)
{
    Gates made = gates_new(place, set, name, inputs, hidden, 3, rng);
    return (Gru){made.weight, made.recurrent, made.bias,
                 part(place, set, name, "recurrent_bias", 1, 3 * hidden)};
}

Tensor *gru_states_at(Place place, const Gru *layer, Tensor *x, Sequences shape, RecurrentState *state)
{
    return gru_at(place, x, layer->weight, layer->recurrent, layer->bias, layer->recurrent_bias, shape,
                  state);
}
