// hidden_30.c: random inputs for the exercises of chapter 30. Ordinary sizes: the limits are tests/exercises' business.
#include "reference.h"

#include "base/mathf.h"

#include <math.h>

// How far the largest bound is above the second: rounding must not decide which arm it is.
static float lead_of(Matrix sums, Matrix counts, int step, float c)
{
    float highest = -INFINITY, second = -INFINITY;
    for (int k = 0; k < counts.cols; k++) {
        float count = counts.data[k], bound = sums.data[k] / count + c * sqrtf(log32((float)step) / count);
        second = fmaxf(second, fminf(bound, highest));
        highest = fmaxf(highest, bound);
    }
    return highest - second;
}

// In one round of four all arms lose; in another all gain, and some were never pulled.
ROUNDS(16, the_next_arm_of_random_bandits)
{
    int arms = hidden_between(rng, 2, 12), step;
    float c = 0.5f + 1.5f * rng_uniform(rng), all = i % 4 == 1 ? -9.0f : i % 4 == 3 ? 9.0f : 0.0f;
    Matrix sums = matrix_new(arena, 1, arms), counts = matrix_new(arena, 1, arms);
    do {
        step = 1;
        for (int k = 0; k < arms; k++) {
            int count = hidden_between(rng, 1, 4 + 10 * i);
            counts.data[k] = (float)count;
            sums.data[k] = (float)count * (0.3f * rng_normal(rng) - 0.2f + all);
            step += count;
        }
    } while (lead_of(sums, counts, step, c) < 1e-3f);
    if (i % 4 == 3) {
        int from = hidden_between(rng, 1, arms - 1);
        for (int k = from; k < arms; k += 2) {
            step -= (int)counts.data[k];
            counts.data[k] = sums.data[k] = 0.0f;
        }
    }
    same_ucb_choose(0.0f, sums, counts, step, c);
}

// Rows of probabilities; about one in three misses some, with which the episode ends.
ROUNDS(6, a_sweep_over_random_worlds)
{
    int states = hidden_between(rng, 2, 12), actions = hidden_between(rng, 2, 5);
    Matrix transitions = matrix_new(arena, states * actions, states);
    for (int row = 0; row < transitions.rows; row++) {
        float total = 0.0f;
        for (int z = 0; z < states; z++) {
            AT(transitions, row, z) = rng_uniform(rng);
            total += AT(transitions, row, z);
        }
        if (hidden_between(rng, 0, 2) == 0) total *= 1.5f;
        scale(matrix_rows(transitions, row, 1), 1.0f / total);
    }
    Matrix values = hidden_matrix(rng, arena, 1, states),
           rewards = hidden_matrix(rng, arena, states, actions);
    add_scalar(values, 8.0f * (float)(i % 3 - 1)); // most rise, or stay, or fall
    float gamma = 0.7f + 0.3f * rng_uniform(rng);
    same_value_sweep(1e-4f, hidden_matrix(rng, arena, 1, states), values, rewards, transitions, gamma);
}

ROUNDS(12, an_update_of_random_tables)
{
    int states = hidden_between(rng, 2, 20), actions = hidden_between(rng, 2, 5);
    int state = hidden_between(rng, 0, states - 1), action = hidden_between(rng, 0, actions - 1);
    int next = hidden_between(rng, 0, states - 1);
    Matrix q = hidden_matrix(rng, arena, states, actions);
    float reward = rng_normal(rng) - 1.0f, alpha = 0.2f + 0.7f * rng_uniform(rng);
    float gamma = 0.7f + 0.3f * rng_uniform(rng);
    if (i % 2) add_scalar(q, -4.0f);
    same_q_learn(1e-4f, q, state, action, reward, next, i % 3 == 2, alpha, gamma);
}

// One episode in two is cut by a time limit.
ROUNDS(6, the_advantages_of_random_episodes)
{
    int steps = hidden_between(rng, 6, 40);
    Matrix rewards = hidden_matrix(rng, arena, 1, steps), values = hidden_matrix(rng, arena, 1, steps);
    Matrix next_values = hidden_matrix(rng, arena, 1, steps);
    Matrix terminated = matrix_new(arena, 1, steps), ended = matrix_new(arena, 1, steps);
    for (int t = 0; t < steps; t++) {
        bool last = hidden_between(rng, 0, 4) == 0, at_a_limit = hidden_between(rng, 0, 1) == 0;
        ended.data[t] = last ? 1.0f : 0.0f;
        terminated.data[t] = last && !at_a_limit ? 1.0f : 0.0f;
        if (!last && t + 1 < steps) next_values.data[t] = values.data[t + 1];
    }
    float gamma = 0.8f + 0.2f * rng_uniform(rng), lambda = 0.7f + 0.3f * rng_uniform(rng);
    Matrix targets = hidden_matrix(rng, arena, 1, steps);
    same_generalised_advantages(1e-4f, hidden_matrix(rng, arena, 1, steps), targets, rewards, values,
                                next_values, terminated, ended, gamma, lambda);
}

// No ratio is near a border. The loss is a sum of both signs: the tolerance is for what cancels.
ROUNDS(6, the_loss_of_random_actions)
{
    int n = hidden_between(rng, 4, 30);
    float clip = 0.1f + 0.2f * rng_uniform(rng);
    Matrix log_new = matrix_new(arena, 1, n), log_old = hidden_matrix(rng, arena, 1, n);
    Matrix advantages = hidden_matrix(rng, arena, 1, n);
    for (int k = 0; k < n; k++) {
        float beyond;
        do {
            log_new.data[k] = log_old.data[k] + 0.35f * rng_normal(rng);
            beyond = fabsf(exp32(log_new.data[k] - log_old.data[k]) - 1.0f) - clip;
        } while (fabsf(beyond) < 1e-3f);
    }
    same_ppo_loss(2e-3f, hidden_matrix(rng, arena, 1, n), log_new, log_old, advantages, clip);
}

HIDDEN({"30.1", the_next_arm_of_random_bandits}, {"30.2", a_sweep_over_random_worlds},
       {"30.3", an_update_of_random_tables}, {"30.4", the_advantages_of_random_episodes},
       {"30.5", the_loss_of_random_actions})
