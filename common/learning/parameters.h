// parameters.h: the named numbers that a model learns. Optimisers, checkpoints and gradient checks all walk
// this list.
//
//     Parameters parameters = parameters_new(arena);
//     Tensor *weight = parameters_add(&parameters, "first.weight", 784, 128);
//     fill_normal(weight->value, &rng, 0, he_deviation(784));
#pragma once
#include "base/name_table.h"
#include "learning/tensor.h"

typedef struct {
    Arena *arena;
    Tensor **items;
    char **names; // unique, dotted: "block3.norm.gain"
    int count, capacity;
    NameTable table; // the numbers of the names
    Matrix block; // (1 × all): the values once parameters_seal has put them side by side; data NULL before
    Matrix block_gradient;
} Parameters;

Parameters parameters_new(Arena *arena);

// A new parameter (rows × cols), zeros. The name must be new, and one that a file can hold (files/safetensors.h): UTF-8,
// not empty, not "__metadata__". A name that could not be saved is refused here, before anything is trained.
#define parameters_add(set, name, rows, cols) parameters_add_at(HERE, set, name, rows, cols)
Tensor *parameters_add_at(Place place, Parameters *set, const char *name, int rows, int cols);

Tensor *parameters_find(const Parameters *set, const char *name); // NULL when there is none
size_t parameters_size(const Parameters *set);                    // how many numbers in all
void clear_gradients(Parameters *set);                            // before each backward; touches no memory

// Whether the parameters of this name, or of names that go on from it behind a dot, are frozen: "block3" is all of block3,
// "block3.norm.gain" one, "" all. Frozen ones receive no gradient, lose the one they have, and no optimiser moves them. A
// name that none begins with stops the program.
#define parameters_freeze(set, prefix, frozen) parameters_freeze_at(HERE, set, prefix, frozen)
void parameters_freeze_at(Place place, Parameters *set, const char *prefix, bool frozen);

double gradient_norm(const Parameters *set); // √Σ g² over all parameters, finite for all finite gradients

// The values of every parameter of `to` from the parameter of the same name and shape in `from`, which may hold more.
#define parameters_copy(to, from) parameters_copy_at(HERE, to, from)
void parameters_copy_at(Place place, Parameters *to, const Parameters *from);

// average ← decay · average + (1 − decay) · now, by names as above: the exponential moving average of a model that is being
// trained (Polyak and Juditsky 1992 average all steps alike). 0 ≤ decay ≤ 1.
#define parameters_average(average, now, decay) parameters_average_at(HERE, average, now, decay)
void parameters_average_at(Place place, Parameters *average, const Parameters *now, float decay);

// Moves all values side by side into one block, and all gradients into another, so that they can be sent, copied and summed as
// one piece. Each begins at a multiple of 16 numbers; those between are 0. Afterwards nothing can be added. To be called
// when the model is made and before anything holds its values (a tape, a view).
#define parameters_seal(set) parameters_seal_at(HERE, set)
void parameters_seal_at(Place place, Parameters *set);

// The gradients of a sealed set as one row, zeros where a backward has written none; all count as written from now on.
#define parameters_gradients(set) parameters_gradients_at(HERE, set)
Matrix parameters_gradients_at(Place place, Parameters *set);

// Data parallelism: a replica learns from its part of a batch on a thread of its own. Its parameters have the names and shapes of
// `set`; parameters_share makes their values the memory of those of `set` and freezes what is frozen there, and gradients stay
// each one's own. parameters_gather adds the gradients of a replica to those of `set` and clears the replica's. To be shared
// when the model is made and before anything holds its values.
#define parameters_share(replica, set)  parameters_share_at(HERE, replica, set)
#define parameters_gather(set, replica) parameters_gather_at(HERE, set, replica)
void parameters_share_at(Place place, Parameters *replica, const Parameters *set);
void parameters_gather_at(Place place, Parameters *set, Parameters *replica);

// Scales all gradients so that their norm is at most limit > 0; returns the norm before. (Pascanu, Mikolov
// and Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1.) When that is
// infinite or not a number, because a gradient is, all gradients stay as they are: look at what it returns.
double clip_gradients(Parameters *set, float limit);

// Deviations of the normal distribution that keep signals alive: Glorot and Bengio 2010 (eq. 12), He et al.
// 2015 (eq. 10).
float glorot_deviation(int inputs, int outputs); // √(2 / (in + out))
float he_deviation(int inputs);                  // √(2 / in), in ≥ 1
