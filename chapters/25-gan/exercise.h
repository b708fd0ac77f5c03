// Exercises of chapter 25, GAN: what each task takes and gives back. Do not edit: write in exercise.c.
//
// Logits are matrices of one column. Outputs are overwritten, whatever they held.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 25.1  The generator's non-saturating loss: the mean over its images of softplus(−l), with
// softplus(t) = log(1 + eᵗ), and its gradient. Logits here are between −20 and 20. Returns the loss.
// d_logits and logits (n × 1).
float passing_loss(/* out */ Matrix d_logits, Matrix logits);

// TASK 25.2  The discriminator's loss: the mean of softplus(−l) over real images, plus the mean of softplus(l) over
// made ones, and both gradients. Logits are as large as they like: at ±200 neither the loss nor a gradient may be
// infinite or NaN. Returns the loss. d_real and real (n × 1), d_made and made (m × 1), n and m may differ.
float verdict_loss(/* out */ Matrix d_real, /* out */ Matrix d_made, Matrix real, Matrix made);

// TASK 25.3  The penalty R1 of a discriminator with one hidden layer, l(x) = leaky(x·W + b)·v, where leaky(t) is t for
// t > 0 and 0.2 t else: gamma/2 · the mean over samples of ‖∇l‖², ∇ by x. And its gradients by W and by v; the slopes
// of leaky are taken as constants. Returns the penalty. x (n × I), W and d_w (I × H), b (1 × H), v and d_v (H × 1).
float flatness_penalty(/* out */ Matrix d_w, /* out */ Matrix d_v, Matrix x, Matrix w, Matrix b, Matrix v,
                       float gamma);

// TASK 25.4  How many modes are found. A point counts for a centre when it lies at most radius away from it; a centre is
// found when at least `least` points count for it. counts (1 × M) receives how many points count for each;
// points (n × D), centres (M × D). Returns how many centres are found.
int modes_found(/* out */ Matrix counts, Matrix points, Matrix centres, float radius, int least);

// TASK 25.5  The Fréchet distance of two lists of numbers, each taken for a normal distribution. In one dimension the
// formula of the chapter is (μ₁ − μ₂)² + (σ₁ − σ₂)². Variances are divided by one less than the count. a (n × 1),
// b (m × 1), n, m ≥ 2.
float distance_of_numbers(Matrix a, Matrix b);
