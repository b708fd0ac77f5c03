// actor_critic.h: two small networks that belong together: a policy, from what is seen to the logits of actions, and a value, from
// what is seen to one number. Each has one hidden layer with tanh.
//
//     ActorCritic agent = actor_critic_new(arena, world_pole.observations, 64, world_pole.actions, &rng);
//     Tensor *logits = actor_critic_policy(&agent, tape_input(tape, seen));     // (N × observations) → (N × actions)
//     Tensor *values = actor_critic_value(&agent, tape_input(tape, seen));      // (N × 1)
//
// Chapter 30 trains them; make balance shows them.
#pragma once
#include "models/nn.h"

typedef struct {
    Parameters parameters; // "policy.0.weight", …, "value.1.bias"
    Mlp policy, value;
} ActorCritic;

// Weights and biases uniform in ±1/√in; those of the policy's last layer a tenth of it, so that at first all actions are nearly
// equally likely. rng NULL leaves zeros, for a file that is read next.
ActorCritic actor_critic_new(Arena *arena, int observations, int hidden, int actions, Rng *rng);
// The same from a file that parameters_save wrote; it says how many are hidden. Anything else in it stops the program.
#define actor_critic_open(arena, path, observations, actions)                                                \
    actor_critic_open_at(HERE, arena, path, observations, actions)
ActorCritic actor_critic_open_at(Place place, Arena *arena, const char *path, int observations, int actions);
Tensor *actor_critic_policy(const ActorCritic *agent, Tensor *seen);
Tensor *actor_critic_value(const ActorCritic *agent, Tensor *seen);
