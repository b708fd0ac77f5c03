// Exercises of chapter 31, Reward and reasoning.
// exercise.h says what is asked. Write your answer in the place of a task's two lines: (void) only keeps the compiler
// quiet. `make grade31` tells how far you are, `make hint31` helps.
#include "exercise.h"
#include "matrix/own_words.h" // add, copy, sum, scale … are free for your functions; without this line, the library's

// TASK 31.1
void group_advantages(Matrix advantages, Matrix rewards, int scaled, float epsilon)
{
    (void)advantages, (void)rewards, (void)scaled, (void)epsilon;
    NOT_WRITTEN("31.1");
}

// TASK 31.2
float policy_gradient(Matrix d_logits, Matrix logits, Matrix tokens, Matrix mask, Matrix advantages)
{
    (void)d_logits, (void)logits, (void)tokens, (void)mask, (void)advantages;
    NOT_WRITTEN("31.2");
    return 0.0f;
}

// TASK 31.3
int keep_right(Matrix kept, Matrix answers, Matrix lengths, Matrix right, int samples)
{
    (void)kept, (void)answers, (void)lengths, (void)right, (void)samples;
    NOT_WRITTEN("31.3");
    return 0;
}

// TASK 31.4
float pair_loss(Matrix d_rewards, Matrix rewards, Matrix pairs)
{
    (void)d_rewards, (void)rewards, (void)pairs;
    NOT_WRITTEN("31.4");
    return 0.0f;
}

// TASK 31.5
float grpo_loss(Matrix d_now, Matrix now, Matrix reference, Matrix mask, Matrix advantages, float beta)
{
    (void)d_now, (void)now, (void)reference, (void)mask, (void)advantages, (void)beta;
    NOT_WRITTEN("31.5");
    return 0.0f;
}
