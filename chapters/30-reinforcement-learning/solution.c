// Reference answers to the exercises of chapter 30. Look when you have tried.
#include "exercise.h"
#include "base/mathf.h"

#include <math.h>

// TASK 30.1: an arm that was never pulled has no mean, and no bound above it
int ucb_choose(Matrix sums, Matrix counts, int step, float c)
{
    int best = 0;
    float highest = -INFINITY, logarithm = log32((float)step);
    for (int k = 0; k < counts.cols; k++) {
        float count = counts.data[k];
        if (count == 0.0f) return k;
        float bound = sums.data[k] / count + c * sqrtf(logarithm / count);
        if (bound > highest) {
            highest = bound;
            best = k;
        }
    }
    return best;
}

// TASK 30.2: what an action is worth is its reward, and gamma times the expected value of the state after it
float value_sweep(Matrix next_values, Matrix values, Matrix rewards, Matrix transitions, float gamma)
{
    float change = 0.0f;
    for (int s = 0; s < rewards.rows; s++) {
        float best = -INFINITY;
        for (int a = 0; a < rewards.cols; a++) {
            float expected = 0.0f;
            for (int z = 0; z < rewards.rows; z++)
                expected += AT(transitions, s * rewards.cols + a, z) * values.data[z];
            best = fmaxf(best, AT(rewards, s, a) + gamma * expected);
        }
        next_values.data[s] = best;
        change = fmaxf(change, fabsf(best - values.data[s]));
    }
    return change;
}

// TASK 30.3: behind the end of an episode nothing is looked up
void q_learn(Matrix q, int state, int action, float reward, int next, int terminal, float alpha, float gamma)
{
    float target = reward;
    if (terminal == 0) target += gamma * largest(matrix_rows(q, next, 1));
    AT(q, state, action) += alpha * (target - AT(q, state, action));
}

// TASK 30.4: from the last step to the first, so that advantages(t + 1) is there when step t needs it
void generalised_advantages(Matrix advantages, Matrix targets, Matrix rewards, Matrix values,
                            Matrix next_values, Matrix terminated, Matrix ended, float gamma, float lambda)
{
    float later = 0.0f;
    for (int t = rewards.cols - 1; t >= 0; t--) {
        float next = terminated.data[t] != 0.0f ? 0.0f : next_values.data[t];
        float delta = rewards.data[t] + gamma * next - values.data[t];
        if (ended.data[t] != 0.0f) later = 0.0f;
        later = delta + gamma * lambda * later;
        advantages.data[t] = later;
        targets.data[t] = later + values.data[t];
    }
}

// TASK 30.5: the derivative of ratio = exp(log_new − log_old) with respect to log_new is ratio
float ppo_loss(Matrix d_log_new, Matrix log_new, Matrix log_old, Matrix advantages, float clip)
{
    float loss = 0.0f, count = (float)log_new.cols;
    for (int i = 0; i < log_new.cols; i++) {
        float ratio = exp32(log_new.data[i] - log_old.data[i]), advantage = advantages.data[i];
        float gain = ratio * advantage, clipped = clamp32(ratio, 1.0f - clip, 1.0f + clip) * advantage;
        bool stuck = clipped < gain;
        loss -= (stuck ? clipped : gain) / count;
        d_log_new.data[i] = stuck ? 0.0f : -gain / count;
    }
    return loss;
}
