// diffusion.c: see diffusion.h.
#include "models/diffusion.h"
#include "base/check.h"
#include "base/mathf.h"
#include "base/parallel.h"

#include <math.h>

// ---- The schedule -----------------------------------------------------------------------------------------

DiffusionSchedule diffusion_schedule_of_at(Place place, Arena *arena, const double *remaining, int steps)
{
    check_at(place, steps >= 1 && remaining[0] == 1.0, "it begins with 1, the data themselves",
             "diffusion_schedule_of: %d steps, the first value is %g", steps, remaining[0]);
    const size_t count = (size_t)steps + 1;
    double *kept = arena_alloc_at(place, arena, count, sizeof *kept);
    float *signal = arena_alloc_at(place, arena, count, sizeof *signal),
          *noise = arena_alloc_at(place, arena, count, sizeof *noise);
    for (size_t t = 0; t < count; t++) {
        check_at(place, remaining[t] > 0.0 && (t == 0 || remaining[t] < remaining[t - 1]),
                 "it falls, and never to 0", "diffusion_schedule_of: value %zu is %g", t, remaining[t]);
        kept[t] = remaining[t];
        signal[t] = (float)sqrt(kept[t]);
        noise[t] = (float)sqrt(1.0 - kept[t]);
    }
    return (DiffusionSchedule){steps, signal, noise, kept};
}

DiffusionSchedule diffusion_schedule_new_at(Place place, Arena *arena, int steps)
{
    check_at(place, steps >= 1, "at least one step", "diffusion_schedule_new: %d steps", steps);
    Arena *scratch = arena_new();
    double *remaining = arena_alloc_at(place, scratch, (size_t)steps + 1, sizeof *remaining), first = 1.0;
    for (int t = 0; t <= steps; t++) {
        const double angle = 1.5707963267948966 * (0.985 * t / steps + 0.008) / 1.008;
        const double cosine = (double)cos32((float)angle), square = cosine * cosine;
        if (t == 0) first = square;
        remaining[t] = square / first;
    }
    DiffusionSchedule schedule = diffusion_schedule_of_at(place, arena, remaining, steps);
    arena_free(scratch);
    return schedule;
}

static void need_time(Place place, const char *name, int t, const DiffusionSchedule *schedule)
{
    check_at(place, t >= 0 && t <= schedule->steps, "0 is the data, T the noise", "%s: time %d of %d", name,
             t, schedule->steps);
}

static void need_shape(Place place, const char *name, Matrix a, Matrix b)
{
    check_at(place, same_shape(a, b), "all hold n examples of D numbers", "%s: (%d × %d) and (%d × %d)", name,
             a.rows, a.cols, b.rows, b.cols);
}

// ---- Training ---------------------------------------------------------------------------------------------

// out_i = a_t x_i + b_t y_i, where t is the time of row i and b_t is negated or not
static void rotate_rows(Matrix out, Matrix x, const float *a, Matrix y, const float *b, float sign,
                        const int *times)
{
    PARALLEL_FOR(parallel_worth(matrix_size(out)), i, out.rows, {
        const float of_x = a[times[i]], of_y = sign * b[times[i]];
        const float *from_x = matrix_row(x, i), *from_y = matrix_row(y, i);
        float *to = matrix_row(out, i);
        for (int j = 0; j < out.cols; j++) to[j] = of_x * from_x[j] + of_y * from_y[j];
    });
}

void diffusion_noised_at(Place place, Matrix x_t, Matrix x_0, Matrix noise, const int *times,
                         const DiffusionSchedule *schedule)
{
    need_shape(place, "diffusion_noised", x_t, x_0), need_shape(place, "diffusion_noised", x_t, noise);
    for (int i = 0; i < x_t.rows; i++) need_time(place, "diffusion_noised", times[i], schedule);
    rotate_rows(x_t, x_0, schedule->signal, noise, schedule->noise, 1.0f, times);
}

void diffusion_velocity_at(Place place, Matrix v, Matrix x_0, Matrix noise, const int *times,
                           const DiffusionSchedule *schedule)
{
    need_shape(place, "diffusion_velocity", v, x_0), need_shape(place, "diffusion_velocity", v, noise);
    for (int i = 0; i < v.rows; i++) need_time(place, "diffusion_velocity", times[i], schedule);
    rotate_rows(v, noise, schedule->signal, x_0, schedule->noise, -1.0f, times);
}

// ---- Drawing ----------------------------------------------------------------------------------------------

void diffusion_data_at(Place place, Matrix x_0, Matrix x_t, Matrix v, int t, float limit,
                       const DiffusionSchedule *schedule)
{
    need_shape(place, "diffusion_data", x_0, x_t), need_shape(place, "diffusion_data", x_0, v);
    need_time(place, "diffusion_data", t, schedule);
    const float signal = schedule->signal[t], noise = schedule->noise[t];
    for (size_t i = 0; i < matrix_size(x_0); i++) {
        const float x = signal * x_t.data[i] - noise * v.data[i];
        x_0.data[i] = limit > 0.0f && x > limit ? limit : limit > 0.0f && x < -limit ? -limit : x;
    }
}

void diffusion_guide_at(Place place, Matrix v, Matrix v_none, float guidance)
{
    need_shape(place, "diffusion_guide", v, v_none);
    for (size_t i = 0; i < matrix_size(v); i++)
        v.data[i] = v_none.data[i] + guidance * (v.data[i] - v_none.data[i]);
}

void diffusion_step_at(Place place, Matrix x, Matrix x_0, int from, int to, float randomness, Matrix fresh,
                       const DiffusionSchedule *schedule)
{
    need_shape(place, "diffusion_step", x, x_0);
    need_time(place, "diffusion_step", from, schedule), need_time(place, "diffusion_step", to, schedule);
    check_at(place, to < from, "a step goes towards 0", "diffusion_step: from time %d to %d", from, to);
    check_at(place, randomness >= 0.0f && randomness <= 1.0f, "0 is DDIM, 1 is DDPM",
             "diffusion_step: randomness %g", (double)randomness);
    const bool random = randomness > 0.0f;
    if (random) need_shape(place, "diffusion_step", x, fresh);
    const double *kept = schedule->remaining, left = 1.0 - kept[to], was = 1.0 - kept[from];
    const double variance =
        (double)randomness * (double)randomness * (left / was) * (1.0 - kept[from] / kept[to]);
    const double of_noise = sqrt(fmax(left - variance, 0.0) / was);
    const float keep = (float)of_noise, deviation = (float)sqrt(variance);
    const float data = (float)(sqrt(kept[to]) - of_noise * sqrt(kept[from]));
    for (size_t i = 0; i < matrix_size(x); i++) {
        const float mean = data * x_0.data[i] + keep * x.data[i];
        x.data[i] = random ? mean + deviation * fresh.data[i] : mean;
    }
}

static int steps_of(DiffusionPath path, const DiffusionSchedule *schedule)
{
    return path.steps ? path.steps : schedule->steps;
}

int diffusion_time(DiffusionPath path, int k, const DiffusionSchedule *schedule)
{
    const long steps = steps_of(path, schedule), left = steps - k;
    return (int)((2 * left * schedule->steps + steps) / (2 * steps));
}

void diffusion_draw_at(Place place, Matrix x, const DiffusionSchedule *schedule, DiffusionPath path,
                       DiffusionPredict predict, void *context, Rng *rng)
{
    const int steps = steps_of(path, schedule);
    check_at(place, steps >= 1 && steps <= schedule->steps, "at most as many as the schedule has",
             "diffusion_draw: %d steps of %d", steps, schedule->steps);
    check_at(place, rng || path.randomness == 0.0f, "give it a generator", "diffusion_draw: randomness %g",
             (double)path.randomness);
    Arena *arena = arena_new();
    Matrix v = matrix_new_at(place, arena, x.rows, x.cols), fresh = {0};
    if (path.randomness > 0.0f) fresh = matrix_new_at(place, arena, x.rows, x.cols);
    for (int k = 0; k < steps; k++) {
        const int from = diffusion_time(path, k, schedule), to = diffusion_time(path, k + 1, schedule);
        predict(context, v, x, from);
        diffusion_data_at(place, v, x, v, from, path.limit, schedule);
        if (fresh.data && to > 0) fill_normal(fresh, rng, 0.0f, 1.0f);
        diffusion_step_at(place, x, v, from, to, path.randomness, fresh, schedule);
    }
    arena_free(arena);
}
