// optim.h: from gradients to steps. One state for each method; a schedule gives the learning rate of a step.
//
//     Optimiser optimiser = adam_new(arena, &parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
//     for (long step = 0; step < steps; step++) {
//         …; backward(loss);
//         float rate = cosine_schedule(1e-3f, step, warm_up, steps);
//         optimiser_step(&optimiser, rate);                     // and clears the gradients
//     }
#pragma once
#include "learning/parameters.h"

typedef enum {
    OPTIMISER_SGD,
    OPTIMISER_MOMENTUM,
    OPTIMISER_NESTEROV,
    OPTIMISER_RMSPROP,
    OPTIMISER_ADAM,
    OPTIMISER_ADAMW,
} OptimiserKind;

typedef struct {
    OptimiserKind kind;
    Parameters *parameters;
    float momentum;              // momentum, Nesterov
    float decay1, decay2, small; // RMSProp (decay2), Adam (β1, β2, ε)
    float *weight_decays;        // one for each parameter: L2 in the gradient, but decoupled for AdamW
    Matrix *first, *second;      // one for each parameter: velocity or first moment; second moment
    long steps;                  // how many steps have been taken
    float power1, power2;        // β1ᵗ and β2ᵗ, for Adam's correction of its start
} Optimiser;

// θ ← θ − η g
Optimiser sgd_new(Arena *arena, Parameters *parameters, float weight_decay);
// v ← μ v + g, θ ← θ − η v (Polyak 1964, in the form of Sutskever et al. 2013 with η outside);
// Nesterov: θ ← θ − η (g + μ v)
Optimiser momentum_new(Arena *arena, Parameters *parameters, float momentum, float weight_decay);
Optimiser nesterov_new(Arena *arena, Parameters *parameters, float momentum, float weight_decay);
// s ← ρ s + (1−ρ) g², θ ← θ − η g / (√s + ε) (Tieleman and Hinton 2012)
Optimiser rmsprop_new(Arena *arena, Parameters *parameters, float decay, float small, float weight_decay);
// Kingma and Ba 2015, algorithm 1; AdamW: Loshchilov and Hutter 2019, algorithm 2. ε > 0, here and above: it divides where
// all gradients were 0.
Optimiser adam_new(Arena *arena, Parameters *parameters, float decay1, float decay2, float small,
                   float weight_decay);
Optimiser adamw_new(Arena *arena, Parameters *parameters, float decay1, float decay2, float small,
                    float weight_decay);

// Another weight decay for the parameters whose name ends with this part: optimiser_decay(&adam, "bias", 0.0f). Gains and biases
// are usually left without, and often tables of embeddings.
#define optimiser_decay(optimiser, last_part, weight_decay)                                                  \
    optimiser_decay_at(HERE, optimiser, last_part, weight_decay)
void optimiser_decay_at(Place place, Optimiser *optimiser, const char *last_part, float weight_decay);

// One step with this learning rate from the gradients, which are cleared. Parameters without one, and frozen ones
// (parameters_freeze), stay as they are, moments included. No memory is asked for. A gradient that is
// infinite or not a number makes its parameter so: nothing is hidden. Where the square of a finite one is no float, above
// 1.8e19, the moments of RMSProp and Adam are infinite and their parameter stays where it is: clip_gradients first.
void optimiser_step(Optimiser *optimiser, float learning_rate);

// Learning rates by step (0, 1, 2, …), all digits right to the last step.
float step_schedule(float rate, long step, long every, float factor); // rate · factor^⌊step / every⌋
// linear from rate/warm_up to rate, then rate · ½(1 + cos) down to 0 at steps
float cosine_schedule(float rate, long step, long warm_up, long steps);
