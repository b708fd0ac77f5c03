// diffusion.h: from data to noise in one formula, and from noise to data in many steps, whatever network takes the steps.
//
//     DiffusionSchedule schedule = diffusion_schedule_new(arena, 200);
//     diffusion_noised(x_t, x_0, noise, times, &schedule);              // training: something to look at
//     diffusion_velocity(target, x_0, noise, times, &schedule);         //           and what to answer
//     …
//     fill_normal(x, &rng, 0.0f, 1.0f);                                 // drawing
//     diffusion_draw(x, &schedule, (DiffusionPath){.steps = 20, .limit = 1.0f}, predict, context, NULL);
//
// Sohl-Dickstein et al. 2015; Ho, Jain and Abbeel 2020 (DDPM). Time t = 0 is the data and t = T nearly pure noise:
//
//     x_t = √ā_t x_0 + √(1 − ā_t) ε          eq. 4 of Ho et al.; ε standard normal, ā_t falls from 1 to nearly 0
//     v   = √ā_t ε − √(1 − ā_t) x_0          what the network is asked for (Salimans and Ho 2022, appendix D)
//     x_0 = √ā_t x_t − √(1 − ā_t) v          and the two things that follow from it,
//     ε   = √(1 − ā_t) x_t + √ā_t v          since (x_t, v) is (x_0, ε) rotated
//
// Shapes: n examples of D numbers: x_0, x_t, noise, v (n × D), one after another in each row; times [n], each 0 … T. What is
// written may be the matrix that is read in its place.
//
// Used for: chapter 26.
#pragma once
#include "base/arena.h"
#include "matrix/matrix.h"

typedef struct {
    int steps;               // T
    const float *signal;     // [T + 1]: √ā_t
    const float *noise;      // [T + 1]: √(1 − ā_t)
    const double *remaining; // [T + 1]: ā_t
} DiffusionSchedule;

// ā_t = cos²(π/2 · (0.985 t/T + 0.008) / 1.008) divided by its value at 0 (Nichol and Dhariwal 2021, eq. 17, with the end
// at .985 in the place of a bound on each step, so that ā_T is 5e-4 and not 0). steps ≥ 1.
#define diffusion_schedule_new(arena, steps) diffusion_schedule_new_at(HERE, arena, steps)
DiffusionSchedule diffusion_schedule_new_at(Place place, Arena *arena, int steps);

// The same from values ā_0 … ā_T of one's own: ā_0 = 1, falling, ā_T > 0.
#define diffusion_schedule_of(arena, remaining, steps) diffusion_schedule_of_at(HERE, arena, remaining, steps)
DiffusionSchedule diffusion_schedule_of_at(Place place, Arena *arena, const double *remaining, int steps);

// ---- Training ---------------------------------------------------------------------------------------------------

#define diffusion_noised(x_t, x_0, noise, times, schedule)                                                   \
    diffusion_noised_at(HERE, x_t, x_0, noise, times, schedule)
#define diffusion_velocity(v, x_0, noise, times, schedule)                                                   \
    diffusion_velocity_at(HERE, v, x_0, noise, times, schedule)
void diffusion_noised_at(Place place, Matrix x_t, Matrix x_0, Matrix noise, const int *times,
                         const DiffusionSchedule *schedule);
void diffusion_velocity_at(Place place, Matrix v, Matrix x_0, Matrix noise, const int *times,
                           const DiffusionSchedule *schedule);

// ---- Drawing ----------------------------------------------------------------------------------------------------

// x_0 from x_t and v at one time, each number cut to ±limit when limit > 0: where the data are known to lie.
#define diffusion_data(x_0, x_t, v, t, limit, schedule)                                                      \
    diffusion_data_at(HERE, x_0, x_t, v, t, limit, schedule)
void diffusion_data_at(Place place, Matrix x_0, Matrix x_t, Matrix v, int t, float limit,
                       const DiffusionSchedule *schedule);

// v ← v_none + guidance · (v − v_none): away from what would be said without a condition (Ho and Salimans 2022, eq. 6, with
// guidance 1 for the condition as it is, 0 for none of it).
#define diffusion_guide(v, v_none, guidance) diffusion_guide_at(HERE, v, v_none, guidance)
void diffusion_guide_at(Place place, Matrix v, Matrix v_none, float guidance);

// x at time `to` from x at time `from` > to, given x_0 as it looks from there (Song, Meng and Ermon 2021, eq. 12 and 16):
//     ε = (x_from − √ā_from x_0) / √(1 − ā_from)
//     σ = randomness · √((1 − ā_to) / (1 − ā_from)) · √(1 − ā_from / ā_to)
//     x_to = √ā_to x_0 + √(1 − ā_to − σ²) ε + σ fresh
// randomness 0 is DDIM, which draws nothing (fresh may have data NULL); 1 is the step of DDPM (eq. 6 and 7 of Ho et al.).
#define diffusion_step(x, x_0, from, to, randomness, fresh, schedule)                                        \
    diffusion_step_at(HERE, x, x_0, from, to, randomness, fresh, schedule)
void diffusion_step_at(Place place, Matrix x, Matrix x_0, int from, int to, float randomness, Matrix fresh,
                       const DiffusionSchedule *schedule);

typedef struct {
    int steps;        // how many of the T: at times T, …, 0 equally far apart, rounded; 0: all
    float randomness; // of diffusion_step
    float limit;      // of diffusion_data
} DiffusionPath;

// The time at which a path stands before step k, T for k = 0 and 0 for k = steps.
int diffusion_time(DiffusionPath path, int k, const DiffusionSchedule *schedule);

// What the network says: v (n × D) of x at this time.
typedef void (*DiffusionPredict)(void *context, Matrix v, Matrix x, int time);

// x, which begins as noise, becomes data. rng draws each step's noise, and may be NULL with randomness 0.
#define diffusion_draw(x, schedule, path, predict, context, rng)                                             \
    diffusion_draw_at(HERE, x, schedule, path, predict, context, rng)
void diffusion_draw_at(Place place, Matrix x, const DiffusionSchedule *schedule, DiffusionPath path,
                       DiffusionPredict predict, void *context, Rng *rng);
