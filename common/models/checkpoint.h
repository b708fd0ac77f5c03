// checkpoint.h: parameters in files, and checkpoints from which training goes on as if it had never stopped.
//
//     parameters_save("model.safetensors", &parameters, NULL, 0);
//     parameters_load("model.safetensors", &parameters);
//     checkpoint_save("run.safetensors", &optimiser, &rng, 1, step);
//     long step = checkpoint_load("run.safetensors", &optimiser, &rng, 1);
//
// The files are safetensors (files/safetensors.h): what is wrong with one stops the program, and nothing has been loaded;
// a name stands for the old file until the new one is whole.
#pragma once
#include "files/safetensors.h"
#include "learning/optim.h"

// All parameters as F32 of shape [rows, cols], sorted by name. notes may be NULL. Numbers that are not finite are
// written and read like others.
#define parameters_save(path, set, notes, note_count) parameters_save_at(HERE, path, set, notes, note_count)
void parameters_save_at(Place place, const char *path, const Parameters *set, const SafetensorsNote *notes,
                        int note_count);

// The same for a program that has something to put in order when the disk is full: false, and file->problem and
// file->remedy say why. What could not be read again still stops the program.
bool parameters_try_save_at(Place place, const char *path, const Parameters *set,
                            const SafetensorsNote *notes, int note_count, Replacement *file);

// The file must hold exactly the parameters of the set, F32, F16 or BF16, in their shapes ([n] does for 1 × n).
#define parameters_load(path, set) parameters_load_at(HERE, path, set)
void parameters_load_at(Place place, const char *path, Parameters *set);
void parameters_fill_at(Place place, const Safetensors *file, Parameters *set); // from a file that is open

// Parameters, the optimiser's moments and counters, generators and the number of the next step. The program
// that loads a checkpoint makes the model and the optimiser first, as when it began.
#define checkpoint_save(path, optimiser, rngs, rng_count, step)                                              \
    checkpoint_save_at(HERE, path, optimiser, rngs, rng_count, step)
#define checkpoint_load(path, optimiser, rngs, rng_count)                                                    \
    checkpoint_load_at(HERE, path, optimiser, rngs, rng_count)
void checkpoint_save_at(Place place, const char *path, const Optimiser *optimiser, const Rng *rngs,
                        int rng_count, long step);
long checkpoint_load_at(Place place, const char *path, Optimiser *optimiser, Rng *rngs, int rng_count);
