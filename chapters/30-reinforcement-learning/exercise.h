// Exercises of chapter 30, Reinforcement learning: what each task takes and gives back. Do not edit: write in
// exercise.c.
//
// S states, A actions, T steps. States, actions and arms are counted from 0. Whole numbers stand in matrices of
// float. What is only written (out) is overwritten, whatever it held, and is never the memory of an input.
// base/mathf.h has exp32 and log32, the natural logarithm; sqrtf is in <math.h>.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 30.1  Which arm of a bandit next? Arm k was pulled counts(k) times and paid sums(k) in all. Returns the arm of
// the largest upper confidence bound,
//   sums(k) / counts(k) + c · √(ln step / counts(k)).
// An arm that was never pulled comes before all that were, and of several such arms the one of the lowest number.
// Where bounds are equal, the lowest number again.
// sums, counts (1 × K), K ≥ 1; sums may be negative; step ≥ 1 counts all pulls, the coming one included; c ≥ 0
int ucb_choose(Matrix sums, Matrix counts, int step, float c);

// TASK 30.2  One sweep of value iteration, over all states at once:
//   next_values(s) = max_a [rewards(s, a) + gamma · Σ_z P(z | s, a) · values(z)]
// P(z | s, a), the probability of coming from s with action a to z, stands in row s·A + a, column z of transitions.
// Every state is computed from the old values. A row may add up to less than 1: with the probability that is missing
// the episode ends, and what comes after the end is worth 0.
// Returns the largest |next_values(s) − values(s)|.
// next_values, values (1 × S), rewards (S × A), transitions (S·A × S), S and A ≥ 1, 0 ≤ gamma ≤ 1
float value_sweep(/* out */ Matrix next_values, Matrix values, Matrix rewards, Matrix transitions,
                  float gamma);

// TASK 30.3  One update of Q-learning: in `state` the agent took `action`, received `reward` and came to state
// `next`. One element of q changes, in its place:
//   q(state, action) ← q(state, action) + alpha · (reward + gamma · max_a q(next, a) − q(state, action))
// Where terminal is 1, and not 0, the episode is over: the state that was reached is worth 0. Then `next` need not be
// a row of q, and if it is, what stands there may be anything, NaN included.
// q (S × A), S and A ≥ 1; next may be state; 0 ≤ alpha ≤ 1, 0 ≤ gamma ≤ 1
void q_learn(/* in/out */ Matrix q, int state, int action, float reward, int next, int terminal, float alpha,
             float gamma);

// TASK 30.4  Generalised advantage estimation. T steps hold several episodes, one after the other; values(t) and
// next_values(t) are a critic's estimates for the states before and after step t.
//   δ(t) = rewards(t) + gamma · next_values(t) − values(t)
//   advantages(t) = δ(t) + gamma · lambda · advantages(t + 1)
//   targets(t) = advantages(t) + values(t), what the critic should have said
// Where ended(t) is 1, and not 0, step t is the last of its episode: no advantage of a later step counts. Where
// terminated(t) is 1 too, the world itself came to an end: next_values(t) counts as 0, whatever stands there, NaN
// included. Where it is 0, only a time limit cut the episode: the state after the step exists, and its value counts.
// After the last of the T steps there is no advantage either, whether its episode ended or goes on.
// all matrices (1 × T), T ≥ 1; terminated is 1 only where ended is; 0 ≤ gamma ≤ 1, 0 ≤ lambda ≤ 1
void generalised_advantages(/* out */ Matrix advantages, /* out */ Matrix targets, Matrix rewards,
                            Matrix values, Matrix next_values, Matrix terminated, Matrix ended, float gamma,
                            float lambda);

// TASK 30.5  The clipped loss of PPO, which is to be made small: minus the mean over n actions of
//   min(ratio · A, clipped · A),   ratio = exp(log_new − log_old),
// where clipped is ratio, but at least 1 − clip and at most 1 + clip. log_new and log_old are the logarithms of an
// action's probability in the policy that learns and in the one that drew the action; A is its advantage.
// d_log_new receives the gradient of the loss with respect to log_new: 0 where the minimum is the clipped one and
// differs from the other, for then it does not move with log_new. Returns the loss.
// d_log_new, log_new, log_old, advantages (1 × n), n ≥ 1; log_new − log_old is at most 80 and may be −10 000;
// 0 < clip < 1; no ratio is exactly at 1 ± clip
float ppo_loss(/* out */ Matrix d_log_new, Matrix log_new, Matrix log_old, Matrix advantages, float clip);
