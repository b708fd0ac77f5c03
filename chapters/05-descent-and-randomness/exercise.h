// Exercises of chapter 5, descent and randomness: what each task takes and gives back. Do not edit: write in exercise.c.
//
// A place is a row (1 × n), n ≥ 1.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 5.1  One step of Adagrad (Duchi, Hazan and Singer 2011): sumsᵢ ← sumsᵢ + gᵢ², then xᵢ ← xᵢ − rate · gᵢ / √sumsᵢ. It is
// RMSProp without forgetting. Where sumsᵢ is 0, xᵢ stays as it is. x, sums, gradient (1 × n).
void adagrad_step(/* in/out */ Matrix x, /* in/out */ Matrix sums, Matrix gradient, float rate);

// TASK 5.2  How many steps of plain descent make the distance to the floor of a bowl ten times smaller in the long run: the
// axes have curvatures between least and most, both of which occur. Not a whole number; INFINITY when it does not come
// nearer at all. rate > 0, 0 < least ≤ most.
float steps_for_a_digit(float rate, float least, float most);

// TASK 5.3  A gradient from heights alone: gradient = 1/k · Σⱼ (aboveⱼ − belowⱼ) / (2 sigma) · noiseⱼ, where aboveⱼ is the height at
// x + sigma · noiseⱼ and belowⱼ that at x − sigma · noiseⱼ. above, below (k × 1), noise (k × n), k ≥ 1, sigma > 0.
// gradient (1 × n) is overwritten.
void gradient_from_heights(/* out */ Matrix gradient, Matrix above, Matrix below, Matrix noise, float sigma);

// TASK 5.4  Two of Metropolis's walkers, at heights f₁ and f₂ and temperatures T₁ and T₂ > 0, may change places. The
// probability is min(1, e^d) with d = (1/T₁ − 1/T₂) · (f₁ − f₂): always, when the colder one gets the lower place. It must
// not overflow.
float exchange_probability(float f1, float t1, float f2, float t2);
