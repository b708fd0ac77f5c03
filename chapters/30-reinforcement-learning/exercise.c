// Exercises of chapter 30, Reinforcement learning.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade30` tells how far you are, `make hint30` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 30.1
int ucb_choose(Matrix sums, Matrix counts, int step, float c)
{
    (void)sums, (void)counts, (void)step, (void)c;
    NOT_WRITTEN("30.1");
    return 0;
}

// TASK 30.2
float value_sweep(Matrix next_values, Matrix values, Matrix rewards, Matrix transitions, float gamma)
{
    (void)next_values, (void)values, (void)rewards, (void)transitions, (void)gamma;
    NOT_WRITTEN("30.2");
    return 0.0f;
}

// TASK 30.3
void q_learn(Matrix q, int state, int action, float reward, int next, int terminal, float alpha, float gamma)
{
    (void)q, (void)state, (void)action, (void)reward, (void)next, (void)terminal, (void)alpha;
    (void)gamma;
    NOT_WRITTEN("30.3");
}

// TASK 30.4
void generalised_advantages(Matrix advantages, Matrix targets, Matrix rewards, Matrix values,
                            Matrix next_values, Matrix terminated, Matrix ended, float gamma, float lambda)
{
    (void)advantages, (void)targets, (void)rewards, (void)values, (void)next_values;
    (void)terminated, (void)ended, (void)gamma, (void)lambda;
    NOT_WRITTEN("30.4");
}

// TASK 30.5
float ppo_loss(Matrix d_log_new, Matrix log_new, Matrix log_old, Matrix advantages, float clip)
{
    (void)d_log_new, (void)log_new, (void)log_old, (void)advantages, (void)clip;
    NOT_WRITTEN("30.5");
    return 0.0f;
}
