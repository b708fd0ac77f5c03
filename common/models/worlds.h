// worlds.h: two small worlds in which a policy acts: a pole on a cart, and a pendulum whose motor is too weak to lift it.
//
//     float state[WORLD_STATES], seen[WORLD_STATES], reward;
//     world_pole.start(state, &rng);
//     for (int step = 0; step < world_pole.limit; step++) {
//         world_pole.observe(seen, state);
//         if (world_pole.step(state, action, &reward)) break;     // the world ended by itself
//     }
//
// Both are differential equations, moved on by one step of Euler. An episode that reaches the limit of steps has been cut, not
// ended: what follows would still have had a value. There is nothing random behind the start.
//
// Used by: chapter 30, and the tool that shows its policies (make balance).
#pragma once
#include "base/rng.h"

enum { WORLD_STATES = 4, WORLD_ACTIONS = 5 }; // at most

typedef struct {
    const char *name;
    int observations,
        actions;   // how many numbers a policy sees, and among how many actions it chooses: 0, 1, …
    int limit;     // steps of an episode, at most
    float seconds; // of a step
    void (*start)(float *state, Rng *rng);
    void (*observe)(float *seen, const float *state); // seen[observations]
    bool (*step)(float *state, int action,
                 float *reward); // true: the world has ended; the reward is of this step
} World;

// Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", 1983, without
// friction. State: the cart's position x (m) and speed, the pole's angle θ from upright (rad, to the right positive) and angular
// speed. A cart of 1 kg, a pole of 0.1 kg and 1 m, g = 9.8 m/s², steps of 0.02 s. Action 0 pushes with 10 N to the left, 1 to
// the right. Each step is worth 1. It ends beyond ±2.4 m or ±12°. Starts anywhere within ±0.05, in all four. Seen: the state.
extern const World world_pole;

// The swing-up of Gymnasium's Pendulum-v1, with five torques: a rod of 1 kg and 1 m, g = 10 m/s², steps of 0.05 s, a torque of −2,
// −1, 0, 1 or 2 N m (to hold the rod level takes 5). State: the angle θ from upright (rad, −π … π) and the angular speed (at most
// 8 rad/s). A step costs θ² + 0.1 ω² + 0.001 u², before it. Starts at any angle, at ±1 rad/s. It never ends, and is cut after
// 200 steps. Seen: cos θ, sin θ, ω/4.
extern const World world_pendulum;

// The torque of an action of the pendulum, in N m
static inline float pendulum_torque(int action) { return (float)(action - 2); }
