// watch.h: what a training step computes and where its time goes, seen from its tape (learning/tensor.h, tape_watch).
//
// Counted are the multiplications and additions of products, convolutions, recurrent layers and attention, two for each
// multiply-add: what cannot be left out. Of the forward, and of the backward for each gradient that is wanted; a causal mask leaves
// out what it hides, and what attention computes twice to save memory counts once. All else (activations, norms, softmax, the
// optimiser) counts as nothing and costs time: that is what the share of the limit shows.
#pragma once
#include "learning/tensor.h"

// Every tape of a benchmark is handed to this once, when it is made.
void watch_tape(Tape *tape);

// Since the last call: operations, and the seconds from the first operation of the first step to the end of the last backward.
typedef struct {
    double operations, seconds; // 0: no tape was watched, or no backward ended
} Watched;
Watched watch_take(void);

// Prints to standard error where the time went since the last call, operation by operation; with BENCH_PROFILE=1 only, and
// not without a title.
void watch_print(const char *title);
