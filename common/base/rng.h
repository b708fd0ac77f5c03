// rng.h: random numbers that are the same everywhere. The state is explicit: no function draws in secret.
//
// The generator is PCG32 (XSH-RR 64/32): Melissa O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically
// Good Algorithms for Random Number Generation", Harvey Mudd College HMC-CS-2014-0905, 2014; pcg-random.org.
// A 64-bit linear congruential state, of which 32 permuted bits are shown. Each odd increment is a stream of its own.
//
//     Rng rng = rng_new(42, 0);                     // seed 42, stream 0
//     float u = rng_uniform(&rng);                  // in [0, 1)
//     Rng row = rng_stream(&rng, i);                // an independent generator for row i: the same for any thread
#pragma once
#include "base/base.h"

typedef struct {
    uint64_t state, increment; // all there is: copy it and the copy draws the same numbers
} Rng;

Rng rng_new(uint64_t seed, uint64_t stream);

// A generator that depends only on the state of rng and on the index; rng itself does not move.
Rng rng_stream(const Rng *rng, uint64_t index);

uint32_t rng_next(Rng *rng);                  // 32 uniform bits
uint32_t rng_below(Rng *rng, uint32_t bound); // uniform in 0 … bound−1, without bias; bound ≥ 1
float rng_uniform(Rng *rng);                  // [0, 1), a multiple of 2⁻²⁴

// [low, high) for any finite low ≤ high, also where high − low is no float; low when they are equal
float rng_between(Rng *rng, float low, float high);

// Mean 0, variance 1, by Box and Muller (Annals of Mathematical Statistics 29, 1958): two uniforms give two normals.
// rng_normal returns the first and drops the second, so that the state stays two integers.
float rng_normal(Rng *rng);
void rng_normals(Rng *rng, float *out,
                 size_t count); // uses both: not the same numbers as count calls of rng_normal

// Fisher–Yates: every order is equally likely.
void rng_shuffle(Rng *rng, int *items, int count);
void rng_permutation(Rng *rng, int *out, int count); // a shuffled 0 … count−1
