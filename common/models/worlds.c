// worlds.c: see worlds.h.
#include "models/worlds.h"

#include "base/mathf.h"

#include <string.h>

static const float PI = 3.14159265f;

// ---- A pole on a cart ------------------------------------------------------------------------------------------------------

static void pole_start(float *state, Rng *rng)
{
    for (int i = 0; i < 4; i++) state[i] = rng_between(rng, -0.05f, 0.05f);
}

static void pole_observe(float *seen, const float *state) { memcpy(seen, state, 4 * sizeof *seen); }

// θ'' = (g sin θ − a cos θ) / (l (4/3 − m cos² θ / M)) with a = (F + m l ω² sin θ) / M, and x'' = a − m l θ'' cos θ / M: M all the
// mass, m the pole's, l half its length
static bool pole_step(float *state, int action, float *reward)
{
    const float total = 1.1f, mass = 0.1f, half = 0.5f, seconds = 0.02f;
    const float angle = state[2], spin = state[3], sine = sin32(angle), cosine = cos32(angle);
    const float push = ((action ? 10.0f : -10.0f) + mass * half * spin * spin * sine) / total;
    const float turn =
        (9.8f * sine - push * cosine) / (half * (4.0f / 3.0f - mass * cosine * cosine / total));
    const float pull = push - mass * half * turn * cosine / total;
    state[0] += seconds * state[1];
    state[1] += seconds * pull;
    state[2] += seconds * spin;
    state[3] += seconds * turn;
    *reward = 1.0f;
    const float widest = 12.0f * PI / 180.0f;
    return !(state[0] >= -2.4f && state[0] <= 2.4f && state[2] >= -widest && state[2] <= widest);
}

const World world_pole = {"pole", 4, 2, 500, 0.02f, pole_start, pole_observe, pole_step};

// ---- A pendulum --------------------------------------------------------------------------------------------------------------

static void pendulum_start(float *state, Rng *rng)
{
    state[0] = rng_between(rng, -PI, PI);
    state[1] = rng_between(rng, -1.0f, 1.0f);
    state[2] = state[3] = 0.0f;
}

static void pendulum_observe(float *seen, const float *state)
{
    seen[0] = cos32(state[0]);
    seen[1] = sin32(state[0]);
    seen[2] = state[1] / 4.0f;
}

// ω' = 3g/(2l) sin θ + 3/(m l²) u
static bool pendulum_step(float *state, int action, float *reward)
{
    const float seconds = 0.05f, angle = state[0], spin = state[1], torque = pendulum_torque(action);
    *reward = -(angle * angle + 0.1f * spin * spin + 0.001f * torque * torque);
    const float faster = spin + seconds * (15.0f * sin32(angle) + 3.0f * torque);
    state[1] = faster < -8.0f ? -8.0f : faster > 8.0f ? 8.0f : faster;
    state[0] += seconds * state[1];
    if (state[0] > PI) state[0] -= 2.0f * PI;
    if (state[0] < -PI) state[0] += 2.0f * PI;
    return false;
}

const World world_pendulum = {"pendulum", 3, 5, 200, 0.05f, pendulum_start, pendulum_observe, pendulum_step};
