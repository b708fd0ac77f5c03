// nn.h: layers. A layer is a small struct of parameters; making one adds them to a named set, using one
// records operations.
//
//     Parameters parameters = parameters_new(arena);
//     Linear first = linear_new(&parameters, "first", 784, 128, &rng, INIT_HE);
//     …
//     Tensor *hidden = linear_relu(&first, tape_input(tape, batch));
//
// The name of a layer stands in front of its parameters' names: "first.weight", "first.bias". Those names are
// what checkpoints and safetensors files contain.
#pragma once
#include "learning/ops/activation.h"
#include "learning/ops/conv.h"
#include "learning/ops/linear.h"
#include "learning/ops/loss.h"
#include "learning/ops/norm.h"
#include "learning/ops/pool.h"
#include "learning/ops/recurrent.h"
#include "learning/ops/shape.h"
#include "learning/optim.h"
#include "learning/parameters.h"

// How a weight (in × out) begins. Every element is drawn independently. Where rng is NULL, here and for all layers, nothing is
// drawn and weights stay zeros: for those that are about to be read from a file.
typedef enum {
    INIT_ZERO,
    INIT_HE,     // normal, variance 2 / in: keeps the size of signals through relu (He et al. 2015, eq. 10)
    INIT_GLOROT, // normal, variance 2 / (in + out): through linear and tanh (Glorot and Bengio 2010, eq. 12)
    INIT_GLOROT_UNIFORM, // uniform in ±√(6 / (in + out)), of the same variance (eq. 16)
    INIT_LECUN,          // normal, variance 1 / in (LeCun et al., "Efficient BackProp", 1998, eq. 16)
    INIT_FAN_IN_UNIFORM, // uniform in ±1/√in, and the bias likewise: what torch.nn.Linear does
} Initialiser;

void initialise(Matrix weight, Initialiser initialiser, Rng *rng);

typedef struct {
    Tensor *weight;          // (in × out)
    Tensor *bias;            // (1 × out), or NULL
    Tensor *lora_a, *lora_b; // (in × rank) and (rank × out), or NULL: linear_add_lora
    float lora_scale;
} Linear;

#define linear_new(set, name, inputs, outputs, rng, initialiser)                                             \
    linear_new_at(HERE, set, name, inputs, outputs, rng, initialiser, true)
#define linear_new_without_bias(set, name, inputs, outputs, rng, initialiser)                                \
    linear_new_at(HERE, set, name, inputs, outputs, rng, initialiser, false)
Linear linear_new_at(Place place, Parameters *set, const char *name, int inputs, int outputs, Rng *rng,
                     Initialiser initialiser, bool with_bias);

#define linear(layer, x)        linear_at(HERE, layer, x)        // (N × in) → (N × out)
#define linear_relu(layer, x)   linear_relu_at(HERE, layer, x)   // the same through relu, fused
#define linear_add(layer, r, x) linear_add_at(HERE, layer, r, x) // r + linear(layer, x), fused
#define linear_gelu(layer, x)   linear_gelu_at(HERE, layer, x)   // through gelu, fused
Tensor *linear_at(Place place, const Linear *layer, Tensor *x);
Tensor *linear_relu_at(Place place, const Linear *layer, Tensor *x);
Tensor *linear_gelu_at(Place place, const Linear *layer, Tensor *x);
Tensor *linear_add_at(Place place, const Linear *layer, Tensor *r, Tensor *x);

// Low-rank adaptation (Hu et al. 2021): from now on the layer gives x·W + b + alpha/rank · (x·A)·B, where W and b are frozen and
// only A and B, "name.lora_a" and "name.lora_b" of the set, are learnt. x·A is multiplied out first, so the full W + A·B
// is never made. A begins as INIT_FAN_IN_UNIFORM has it and B as 0, so the layer gives at first what it gave before.
#define linear_add_lora(layer, set, name, rank, alpha, rng)                                                  \
    linear_add_lora_at(HERE, layer, set, name, rank, alpha, rng)
void linear_add_lora_at(Place place, Linear *layer, Parameters *set, const char *name, int rank, float alpha,
                        Rng *rng);

// W ← W + alpha/rank · A·B, and the layer is an ordinary one again, as fast as before; A and B stay in their set and are no
// longer used.
void linear_merge(Linear *layer);

// A window of weights over a grid of pixels (learning/ops/conv.h). For the Initialiser, `in` is what one output sees: the
// taps of the window times the channels of its group.
typedef struct {
    Tensor *weight; // (k_h·k_w·in/groups × out)
    Tensor *bias;   // (1 × out), or NULL
    Window window;
} Conv;

#define conv_new(set, name, inputs, outputs, window, rng, initialiser)                                       \
    conv_new_at(HERE, set, name, inputs, outputs, window, rng, initialiser, true)
#define conv_new_without_bias(set, name, inputs, outputs, window, rng, initialiser)                          \
    conv_new_at(HERE, set, name, inputs, outputs, window, rng, initialiser, false)
Conv conv_new_at(Place place, Parameters *set, const char *name, int inputs, int outputs, Window window,
                 Rng *rng, Initialiser initialiser, bool with_bias);

// x has one row for each pixel of the grid; what comes out has those of window_grid(HERE, grid, layer->window).
#define conv(layer, x, grid)      conv_at(HERE, layer, x, grid)      // (n·H·W × in) → (n·H'·W' × out)
#define conv_relu(layer, x, grid) conv_relu_at(HERE, layer, x, grid) // the same through relu, fused
Tensor *conv_at(Place place, const Conv *layer, Tensor *x, Grid grid);
Tensor *conv_relu_at(Place place, const Conv *layer, Tensor *x, Grid grid);

typedef struct {
    Tensor *gain, *bias; // (1 × features): ones and zeros
} LayerNorm;

#define layer_norm_new(set, name, features) layer_norm_new_at(HERE, set, name, features)
#define layer_normalise(layer, x)           layer_normalise_at(HERE, layer, x)
LayerNorm layer_norm_new_at(Place place, Parameters *set, const char *name, int features);
Tensor *layer_normalise_at(Place place, const LayerNorm *layer, Tensor *x);

typedef struct {
    Tensor *gain; // (1 × features): ones
} RmsNorm;

#define rms_norm_new(set, name, features) rms_norm_new_at(HERE, set, name, features)
#define rms_normalise(layer, x)           rms_normalise_at(HERE, layer, x)
RmsNorm rms_norm_new_at(Place place, Parameters *set, const char *name, int features);
Tensor *rms_normalise_at(Place place, const RmsNorm *layer, Tensor *x);

// Either of the two, for blocks that leave it open.
typedef enum { NORM_LAYER, NORM_RMS } NormKind;
typedef struct {
    Tensor *gain, *bias; // (1 × features); bias NULL: RMS norm
    float epsilon;
} Norm;

// epsilon 0: NORM_EPSILON
Norm norm_new_at(Place place, Parameters *set, const char *name, NormKind kind, int features, float epsilon);
Tensor *norm_normalise_at(Place place, const Norm *layer, Tensor *x);
#define norm_new(set, name, kind, features, epsilon) norm_new_at(HERE, set, name, kind, features, epsilon)
#define norm_normalise(layer, x)                     norm_normalise_at(HERE, layer, x)

// The running statistics are members of the set as well ("name.running_mean", "name.running_variance"), so
// that a file holds them; they want no gradient, and optimisers pass them over.
typedef struct {
    Tensor *gain, *bias; // (1 × features): ones and zeros
    BatchNormState state;
} BatchNorm;

#define batch_norm_new(set, name, features)      batch_norm_new_at(HERE, set, name, features)
#define batch_normalise(layer, x, training)      batch_normalise_at(HERE, layer, x, training)
// relu after it, and relu of its sum with a short cut of the same shape: one pass each
#define batch_normalise_relu(layer, x, training) batch_normalise_relu_at(HERE, layer, x, training)
#define batch_normalise_add_relu(layer, x, shortcut, training)                                               \
    batch_normalise_add_relu_at(HERE, layer, x, shortcut, training)
BatchNorm batch_norm_new_at(Place place, Parameters *set, const char *name, int features);
Tensor *batch_normalise_at(Place place, BatchNorm *layer, Tensor *x, bool training);
Tensor *batch_normalise_relu_at(Place place, BatchNorm *layer, Tensor *x, bool training);
Tensor *batch_normalise_add_relu_at(Place place, BatchNorm *layer, Tensor *x, Tensor *shortcut,
                                    bool training);

typedef struct {
    Tensor *table; // (vocabulary × features)
} Embedding;

#define embedding_new(set, name, vocabulary, features, rng, deviation)                                       \
    embedding_new_at(HERE, set, name, vocabulary, features, rng, deviation)
#define embed(tape, layer, ids, count) embed_at(HERE, tape, layer, ids, count) // (count × features)
Embedding embedding_new_at(Place place, Parameters *set, const char *name, int vocabulary, int features,
                           Rng *rng, float deviation);
Tensor *embed_at(Place place, Tape *tape, const Embedding *layer, const int *ids, int count);

// Linear layers with relu between them: sizes {784, 256, 128, 10} are three layers, "name.0", "name.1",
// "name.2".
typedef struct {
    Linear *layers;
    int count;
} Mlp;

#define mlp_new(set, name, sizes, size_count, rng, initialiser)                                              \
    mlp_new_at(HERE, set, name, sizes, size_count, rng, initialiser)
#define mlp(model, x) mlp_at(HERE, model, x) // (N × first size) → (N × last size), no relu after the last
Mlp mlp_new_at(Place place, Parameters *set, const char *name, const int *sizes, int size_count, Rng *rng,
               Initialiser initialiser);
Tensor *mlp_at(Place place, const Mlp *model, Tensor *x);

// Recurrent layers: see learning/ops/recurrent.h for the cells. Input weights begin as INIT_GLOROT would have them for each gate
// alone, recurrent weights with the variance 1 / hidden, biases as zeros. *_states gives the hidden states of all
// steps, (B·T × hidden), from x (B·T × inputs); state may be NULL.
typedef struct {
    Tensor *weight, *recurrent, *bias; // (inputs × hidden), (hidden × hidden), (1 × hidden)
    RnnKind kind;
} Rnn;

#define rnn_new(set, name, inputs, hidden, rng, kind) rnn_new_at(HERE, set, name, inputs, hidden, rng, kind)
#define rnn_states(layer, x, shape, state)            rnn_states_at(HERE, layer, x, shape, state)
Rnn rnn_new_at(Place place, Parameters *set, const char *name, int inputs, int hidden, Rng *rng,
               RnnKind kind);
Tensor *rnn_states_at(Place place, const Rnn *layer, Tensor *x, Sequences shape, RecurrentState *state);

typedef struct {
    Tensor *weight, *recurrent, *bias; // (inputs × 4·hidden), (hidden × 4·hidden), (1 × 4·hidden): i, f, g, o
} Lstm;

// forget_bias: what the bias of the forget gate begins with. At 0 the gate halves the cell in every step; 1 or 2 lets
// it remember from the start (Gers et al. 2000; Jozefowicz et al. 2015).
#define lstm_new(set, name, inputs, hidden, rng, forget_bias)                                                \
    lstm_new_at(HERE, set, name, inputs, hidden, rng, forget_bias)
#define lstm_states(layer, x, shape, state) lstm_states_at(HERE, layer, x, shape, state)
Lstm lstm_new_at(Place place, Parameters *set, const char *name, int inputs, int hidden, Rng *rng,
                 float forget_bias);
Tensor *lstm_states_at(Place place, const Lstm *layer, Tensor *x, Sequences shape, RecurrentState *state);

typedef struct {
    Tensor *weight, *recurrent;    // (inputs × 3·hidden), (hidden × 3·hidden): r, z, n
    Tensor *bias, *recurrent_bias; // (1 × 3·hidden)
} Gru;

#define gru_new(set, name, inputs, hidden, rng) gru_new_at(HERE, set, name, inputs, hidden, rng)
#define gru_states(layer, x, shape, state)      gru_states_at(HERE, layer, x, shape, state)
Gru gru_new_at(Place place, Parameters *set, const char *name, int inputs, int hidden, Rng *rng);
Tensor *gru_states_at(Place place, const Gru *layer, Tensor *x, Sequences shape, RecurrentState *state);

// "name.part" or "name.part3" for the names of layers; the text lives in the arena of the set. index −1: no
// number.
const char *layer_name(Parameters *set, const char *name, const char *part, int index);
