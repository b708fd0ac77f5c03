// actor_critic.c: see actor_critic.h.
#include "models/actor_critic.h"

#include "learning/ops/activation.h"
#include "models/checkpoint.h"

ActorCritic actor_critic_new(Arena *arena, int observations, int hidden, int actions, Rng *rng)
{
    ActorCritic agent = {.parameters = parameters_new(arena)};
    const int policy[] = {observations, hidden, actions}, value[] = {observations, hidden, 1};
    agent.policy = mlp_new(&agent.parameters, "policy", policy, 3, rng, INIT_FAN_IN_UNIFORM);
    agent.value = mlp_new(&agent.parameters, "value", value, 3, rng, INIT_FAN_IN_UNIFORM);
    scale(agent.policy.layers[1].weight->value, 0.1f);
    scale(agent.policy.layers[1].bias->value, 0.1f);
    return agent;
}

ActorCritic actor_critic_open_at(Place place, Arena *arena, const char *path, int observations, int actions)
{
    enum { MOST_HIDDEN = 1 << 16 };
    Safetensors file = safetensors_open_at(place, arena, path);
    const SafetensorsEntry *first = safetensors_find(&file, "policy.0.weight");
    check_at(place, first && first->rank == 2 && first->shape[1] >= 1 && first->shape[1] <= MOST_HIDDEN,
             "the file of a policy that chapter 30 has trained", "%s: no matrix policy.0.weight in it", path);
    ActorCritic agent = actor_critic_new(arena, observations, (int)first->shape[1], actions, NULL);
    parameters_fill_at(place, &file, &agent.parameters);
    safetensors_close(&file);
    return agent;
}

static Tensor *through_tanh(const Mlp *net, Tensor *x)
{
    Tensor *hidden = hyperbolic_tangent(linear(&net->layers[0], x));
    return linear(&net->layers[1], hidden);
}

Tensor *actor_critic_policy(const ActorCritic *agent, Tensor *seen)
{
    return through_tanh(&agent->policy, seen);
}
Tensor *actor_critic_value(const ActorCritic *agent, Tensor *seen)
{
    return through_tanh(&agent->value, seen);
}
