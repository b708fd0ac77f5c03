// optim.c: optimisers and schedules. See optim.h.
//
// Each method is one pass over the numbers of a parameter, split between threads by elements. The letters are
// those of optim.h: θ value, g gradient, v velocity, m and s moments, η learning rate.
#include "learning/optim.h"
#include "base/check.h"
#include "base/mathf.h"
#include "base/parallel.h"

#include <math.h>
#include <string.h>

static Matrix *states(Arena *arena, const Parameters *parameters)
{
    Matrix *list = arena_alloc(arena, (size_t)parameters->count, sizeof *list);
    for (int i = 0; i < parameters->count; i++)
        list[i] = matrix_new(arena, parameters->items[i]->value.rows, parameters->items[i]->value.cols);
    return list;
}

static Optimiser optimiser_new(Arena *arena, Optimiser options, float weight_decay, bool first, bool second)
{
    check(options.momentum >= 0 && options.momentum < 1, "0.9 is usual", "momentum %g",
          (double)options.momentum);
    check(options.decay1 >= 0 && options.decay1 < 1 && options.decay2 >= 0 && options.decay2 < 1,
          "0.9 and 0.999 are usual", "decays %g and %g", (double)options.decay1, (double)options.decay2);
    check(isfinite(options.small) && isfinite(weight_decay) && weight_decay >= 0 &&
              (second ? options.small > 0 : options.small >= 0),
          "1e-8 is usual for ε, which divides where all gradients were 0", "ε %g, weight decay %g",
          (double)options.small, (double)weight_decay);
    options.power1 = options.power2 = 1.0f;
    const int count = options.parameters->count;
    options.weight_decays = arena_alloc(arena, (size_t)count, sizeof *options.weight_decays);
    for (int i = 0; i < count; i++) options.weight_decays[i] = weight_decay;
    if (first) options.first = states(arena, options.parameters);
    if (second) options.second = states(arena, options.parameters);
    return options;
}

Optimiser sgd_new(Arena *arena, Parameters *parameters, float weight_decay)
{
    return optimiser_new(arena, (Optimiser){.kind = OPTIMISER_SGD, .parameters = parameters}, weight_decay,
                         false, false);
}

Optimiser momentum_new(Arena *arena, Parameters *parameters, float momentum, float weight_decay)
{
    Optimiser options = {.kind = OPTIMISER_MOMENTUM, .parameters = parameters, .momentum = momentum};
    return optimiser_new(arena, options, weight_decay, true, false);
}

Optimiser nesterov_new(Arena *arena, Parameters *parameters, float momentum, float weight_decay)
{
    Optimiser options = {.kind = OPTIMISER_NESTEROV, .parameters = parameters, .momentum = momentum};
    return optimiser_new(arena, options, weight_decay, true, false);
}

Optimiser rmsprop_new(Arena *arena, Parameters *parameters, float decay, float small, float weight_decay)
{
    Optimiser options = {
        .kind = OPTIMISER_RMSPROP, .parameters = parameters, .decay2 = decay, .small = small};
    return optimiser_new(arena, options, weight_decay, false, true);
}

static Optimiser adam_like(Arena *arena, OptimiserKind kind, Parameters *parameters, float decay1,
                           float decay2, float small, float weight_decay)
{
    Optimiser options = {
        .kind = kind, .parameters = parameters, .decay1 = decay1, .decay2 = decay2, .small = small};
    return optimiser_new(arena, options, weight_decay, true, true);
}

Optimiser adam_new(Arena *arena, Parameters *parameters, float decay1, float decay2, float small,
                   float weight_decay)
{
    return adam_like(arena, OPTIMISER_ADAM, parameters, decay1, decay2, small, weight_decay);
}

Optimiser adamw_new(Arena *arena, Parameters *parameters, float decay1, float decay2, float small,
                    float weight_decay)
{
    return adam_like(arena, OPTIMISER_ADAMW, parameters, decay1, decay2, small, weight_decay);
}

void optimiser_decay_at(Place place, Optimiser *optimiser, const char *last_part, float weight_decay)
{
    const Parameters *set = optimiser->parameters;
    const size_t length = strlen(last_part);
    int found = 0;
    check_at(place, isfinite(weight_decay) && weight_decay >= 0.0f, "0 means none",
             "optimiser_decay: a weight decay of %g", (double)weight_decay);
    for (int i = 0; i < set->count; i++) {
        const char *name = set->names[i];
        const size_t size = strlen(name);
        if (size < length || strcmp(name + size - length, last_part) != 0) continue;
        if (size > length && name[size - length - 1] != '.') continue;
        optimiser->weight_decays[i] = weight_decay;
        found++;
    }
    check_at(place, found > 0, "the last part of a name is what stands behind its last dot",
             "optimiser_decay: no parameter's name ends with %s", last_part);
}

// ---- One parameter ----------------------------------------------------------------------------------------

// Everything the loops need, as numbers of their own: what is in registers is not read again for each
// element.
typedef struct {
    size_t count;
    float *restrict value, *restrict first, *restrict second;
    const float *restrict gradient;
    float rate, decay; // η and the weight decay λ
} Pass;

static void sgd_pass(Pass p)
{
    PARALLEL_EACH(i, p.count, {
        float g = __builtin_fmaf(p.decay, p.value[i], p.gradient[i]); // g ← g + λθ
        p.value[i] = __builtin_fmaf(-p.rate, g, p.value[i]);          // θ ← θ − ηg
    });
}

static void momentum_pass(Pass p, float momentum)
{
    PARALLEL_EACH(i, p.count, {
        float g = __builtin_fmaf(p.decay, p.value[i], p.gradient[i]);
        float v = __builtin_fmaf(momentum, p.first[i], g); // v ← μv + g
        p.first[i] = v;
        p.value[i] = __builtin_fmaf(-p.rate, v, p.value[i]); // θ ← θ − ηv
    });
}

static void nesterov_pass(Pass p, float momentum)
{
    PARALLEL_EACH(i, p.count, {
        float g = __builtin_fmaf(p.decay, p.value[i], p.gradient[i]);
        float v = __builtin_fmaf(momentum, p.first[i], g); // v ← μv + g
        p.first[i] = v;
        p.value[i] = __builtin_fmaf(-p.rate, __builtin_fmaf(momentum, v, g), p.value[i]); // θ ← θ − η(g + μv)
    });
}

static void rmsprop_pass(Pass p, float keep, float small)
{
    const float rest = 1.0f - keep;
    PARALLEL_EACH(i, p.count, {
        float g = __builtin_fmaf(p.decay, p.value[i], p.gradient[i]);
        float s = __builtin_fmaf(keep, p.second[i], rest * g * g); // s ← ρs + (1−ρ)g²
        p.second[i] = s;
        p.value[i] -= p.rate * g / (sqrtf(s) + small); // θ ← θ − ηg / (√s + ε)
    });
}

// Both Adams: inside is the decay that is added to the gradient, shrink what each step leaves of θ.
// m̂ = m / (1−β₁ᵗ) and v̂ = v / (1−β₂ᵗ) are folded into the rate and into √v.
static void adam_pass(Pass p, const Optimiser *o, float shrink)
{
    const float keep1 = o->decay1, rest1 = 1.0f - keep1, keep2 = o->decay2, rest2 = 1.0f - keep2;
    const float rate = p.rate / (1.0f - o->power1), root = 1.0f / sqrtf(1.0f - o->power2), small = o->small;
    PARALLEL_EACH(i, p.count, {
        float g = __builtin_fmaf(p.decay, p.value[i], p.gradient[i]);
        float m = __builtin_fmaf(keep1, p.first[i], rest1 * g);      // m ← β₁m + (1−β₁)g
        float v = __builtin_fmaf(keep2, p.second[i], rest2 * g * g); // v ← β₂v + (1−β₂)g²
        p.first[i] = m;
        p.second[i] = v;
        p.value[i] =
            shrink * p.value[i] - rate * m / __builtin_fmaf(sqrtf(v), root, small); // θ ← θ − ηm̂ / (√v̂ + ε)
    });
}

void optimiser_step(Optimiser *o, float learning_rate)
{
    check(isfinite(learning_rate), "look at the schedule that gave it",
          "optimiser_step: a learning rate of %g", (double)learning_rate);
    o->steps++;
    o->power1 *= o->decay1;
    o->power2 *= o->decay2;
    for (int i = 0; i < o->parameters->count; i++) {
        Tensor *parameter = o->parameters->items[i];
        if (!parameter->has_gradient || !parameter->wants_gradient) continue;
        Pass p = {.count = matrix_size(parameter->value),
                  .value = parameter->value.data,
                  .gradient = parameter->gradient.data,
                  .first = o->first ? o->first[i].data : NULL,
                  .second = o->second ? o->second[i].data : NULL,
                  .rate = learning_rate,
                  .decay = o->weight_decays[i]};
        switch (o->kind) {
        case OPTIMISER_SGD:
            sgd_pass(p);
            break;
        case OPTIMISER_MOMENTUM:
            momentum_pass(p, o->momentum);
            break;
        case OPTIMISER_NESTEROV:
            nesterov_pass(p, o->momentum);
            break;
        case OPTIMISER_RMSPROP:
            rmsprop_pass(p, o->decay2, o->small);
            break;
        case OPTIMISER_ADAM:
            adam_pass(p, o, 1.0f);
            break;
        case OPTIMISER_ADAMW:
            p.decay = 0.0f; // decoupled: θ ← (1 − ηλ)θ − …
            adam_pass(p, o, 1.0f - learning_rate * o->weight_decays[i]);
            break;
        }
    }
    clear_gradients(o->parameters);
}

// ---- Schedules --------------------------------------------------------------------------------------------

float step_schedule(float rate, long step, long every, float factor)
{
    check(every >= 1, "count the steps between two drops", "step_schedule: every %ld steps", every);
    check(step >= 0, "steps are numbered from 0", "step_schedule: step %ld", step);
    double result = (double)rate, power = (double)factor; // to the 1, 2, 4, 8, …
    for (long drops = step / every; drops > 0; drops /= 2, power *= power)
        if (drops % 2 == 1) result *= power;
    return (float)result;
}

float cosine_schedule(float rate, long step, long warm_up, long steps)
{
    check(warm_up >= 0 && warm_up <= steps, "the warm-up is a part of the steps",
          "cosine_schedule: %ld of %ld steps warm up", warm_up, steps);
    check(step >= 0, "steps are numbered from 0", "cosine_schedule: step %ld", step);
    if (step < warm_up) return rate * (float)(step + 1) / (float)warm_up;
    if (step >= steps) return 0.0f;
    float progress = (float)((double)(step - warm_up) / (double)(steps - warm_up));
    const float sum = 1.0f + cos32(3.14159265f * progress);
    if (sum > 1e-3f) return rate * 0.5f * sum;
    // Near the end the cosine is nearly −1, and the sum has no digits left; it is 2 sin² of half of what is missing.
    const float sine =
        sin32((float)(1.5707963267948966 * (double)(steps - step) / (double)(steps - warm_up)));
    return rate * sine * sine;
}
