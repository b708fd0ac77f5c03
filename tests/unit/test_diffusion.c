// Diffusion: the schedule, noise and its way back, both kinds of steps against their published formulas, drawing from a
// distribution whose exact denoiser is known, mistakes.
#include "suite.h"
#include "models/diffusion.h"

#include <math.h>

enum { STEPS = 50, COUNT = 6, NUMBERS = 5 };

static Matrix normals(Arena *arena, int rows, int cols, uint64_t stream)
{
    Rng rng = rng_new(2, stream);
    Matrix m = matrix_new(arena, rows, cols);
    fill_normal(m, &rng, 0.0f, 1.0f);
    return m;
}

START_TEST(what_remains_falls_from_all_to_nearly_nothing)
{
    Arena *arena = arena_new();
    for (int steps = 1; steps <= 1000; steps *= 10) {
        const DiffusionSchedule s = diffusion_schedule_new(arena, steps);
        ck_assert(s.remaining[0] == 1.0 && s.signal[0] == 1.0f && s.noise[0] == 0.0f);
        for (int t = 0; t <= steps; t++) {
            const double half = 1.5707963267948966, angle = half * (0.985 * t / steps + 0.008) / 1.008;
            const double start = half * 0.008 / 1.008, expected = pow(cos(angle) / cos(start), 2.0);
            ck_assert_double_eq_tol(s.remaining[t], expected, 2e-7);
            ck_assert_double_eq_tol((double)(s.signal[t] * s.signal[t] + s.noise[t] * s.noise[t]), 1.0, 3e-7);
            if (t) ck_assert(s.remaining[t] < s.remaining[t - 1]);
        }
        ck_assert(s.remaining[steps] > 4e-4 && s.remaining[steps] < 6e-4);
    }
    arena_free(arena);
}
END_TEST

START_TEST(noise_and_velocity_are_a_rotation)
{
    Arena *arena = arena_new();
    const DiffusionSchedule s = diffusion_schedule_new(arena, STEPS);
    const Matrix x_0 = normals(arena, COUNT, NUMBERS, 0), noise = normals(arena, COUNT, NUMBERS, 1);
    Matrix x_t = matrix_new(arena, COUNT, NUMBERS), v = matrix_new(arena, COUNT, NUMBERS);
    const int times[COUNT] = {0, 1, 10, 25, 49, 50};
    diffusion_noised(x_t, x_0, noise, times, &s);
    diffusion_velocity(v, x_0, noise, times, &s);
    for (int i = 0; i < COUNT; i++) {
        Matrix back = matrix_new(arena, 1, NUMBERS);
        diffusion_data(back, matrix_rows(x_t, i, 1), matrix_rows(v, i, 1), times[i], 0.0f, &s);
        ck_assert(largest_difference(back, matrix_rows(x_0, i, 1)) < 1e-6f);
        for (int j = 0; j < NUMBERS; j++) {
            const double a = sqrt(s.remaining[times[i]]), b = sqrt(1.0 - s.remaining[times[i]]);
            const double x = (double)AT(x_0, i, j), e = (double)AT(noise, i, j);
            ck_assert_double_eq_tol((double)AT(x_t, i, j), a * x + b * e, 1e-6);
            ck_assert_double_eq_tol((double)AT(v, i, j), a * e - b * x, 1e-6);
        }
    }
    ck_assert(largest_difference(matrix_rows(x_t, 0, 1), matrix_rows(x_0, 0, 1)) == 0.0f);
    arena_free(arena);
}
END_TEST

START_TEST(what_is_found_is_cut_to_where_data_lie)
{
    Arena *arena = arena_new();
    const DiffusionSchedule s = diffusion_schedule_new(arena, STEPS);
    Matrix x = matrix_new(arena, 1, 3), v = matrix_new(arena, 1, 3), out = matrix_new(arena, 1, 3);
    v.data[0] = -10.0f, v.data[1] = 10.0f, v.data[2] = 0.1f;
    diffusion_data(out, x, v, 25, 1.0f, &s);
    ck_assert(out.data[0] == 1.0f && out.data[1] == -1.0f && fabsf(out.data[2]) < 0.1f &&
              out.data[2] != 0.0f);
    arena_free(arena);
}
END_TEST

START_TEST(guidance_0_1_and_2)
{
    Arena *arena = arena_new();
    const Matrix told = normals(arena, 2, 3, 0), none = normals(arena, 2, 3, 1);
    for (int g = 0; g <= 2; g++) {
        Matrix v = matrix_copy(arena, told);
        diffusion_guide(v, none, (float)g);
        for (int i = 0; i < 6; i++) {
            const float expected = g == 0   ? none.data[i]
                                   : g == 1 ? told.data[i]
                                            : 2.0f * told.data[i] - none.data[i];
            ck_assert_float_eq_tol(v.data[i], expected, 1e-6f);
        }
    }
    arena_free(arena);
}
END_TEST

// Ho et al., eq. 7: mean √ā_(t−1) β/(1 − ā_t) x_0 + √α (1 − ā_(t−1))/(1 − ā_t) x_t, variance (1 − ā_(t−1))/(1 − ā_t) β
START_TEST(randomness_1_is_the_step_of_ddpm)
{
    Arena *arena = arena_new();
    const DiffusionSchedule s = diffusion_schedule_new(arena, STEPS);
    for (int t = 1; t <= STEPS; t++) {
        const Matrix x_0 = normals(arena, COUNT, NUMBERS, 0), fresh = normals(arena, COUNT, NUMBERS, 2);
        const Matrix before = normals(arena, COUNT, NUMBERS, 1);
        Matrix x = matrix_copy(arena, before);
        diffusion_step(x, x_0, t, t - 1, 1.0f, fresh, &s);
        const double now = s.remaining[t], then = s.remaining[t - 1], alpha = now / then, beta = 1.0 - alpha;
        for (size_t i = 0; i < matrix_size(x); i++) {
            const double mean = sqrt(then) * beta / (1.0 - now) * (double)x_0.data[i] +
                                sqrt(alpha) * (1.0 - then) / (1.0 - now) * (double)before.data[i];
            const double deviation = sqrt((1.0 - then) / (1.0 - now) * beta);
            ck_assert_double_eq_tol((double)x.data[i], mean + deviation * (double)fresh.data[i], 2e-6);
        }
    }
    arena_free(arena);
}
END_TEST

// With x_0 and noise known, the step without randomness lands where the formula of the noise puts that time.
START_TEST(randomness_0_keeps_the_noise)
{
    Arena *arena = arena_new();
    const DiffusionSchedule s = diffusion_schedule_new(arena, STEPS);
    const Matrix x_0 = normals(arena, COUNT, NUMBERS, 0), noise = normals(arena, COUNT, NUMBERS, 1);
    Matrix x = matrix_new(arena, COUNT, NUMBERS), expected = matrix_new(arena, COUNT, NUMBERS);
    const int from[COUNT] = {40, 40, 40, 40, 40, 40}, to[COUNT] = {15, 15, 15, 15, 15, 15};
    diffusion_noised(x, x_0, noise, from, &s);
    diffusion_noised(expected, x_0, noise, to, &s);
    diffusion_step(x, x_0, 40, 15, 0.0f, (Matrix){0}, &s);
    ck_assert(largest_difference(x, expected) < 1e-6f);
    diffusion_step(x, x_0, 15, 0, 0.0f, (Matrix){0}, &s);
    ck_assert(largest_difference(x, x_0) < 1e-6f);
    arena_free(arena);
}
END_TEST

START_TEST(a_path_goes_from_noise_to_data)
{
    Arena *arena = arena_new();
    const DiffusionSchedule s = diffusion_schedule_new(arena, STEPS);
    for (int steps = 1; steps <= STEPS; steps++) {
        const DiffusionPath path = {.steps = steps};
        ck_assert_int_eq(diffusion_time(path, 0, &s), STEPS);
        ck_assert_int_eq(diffusion_time(path, steps, &s), 0);
        for (int k = 0; k < steps; k++)
            ck_assert_int_gt(diffusion_time(path, k, &s), diffusion_time(path, k + 1, &s));
    }
    ck_assert_int_eq(diffusion_time((DiffusionPath){.steps = 20}, 1, &s), 48); // 47.5
    ck_assert_int_eq(diffusion_time((DiffusionPath){0}, 3, &s), 47);
    arena_free(arena);
}
END_TEST

// Data of one dimension, mean 2 and deviation 0.5. E[x_0 | x_t] is linear in x_t, and so v is known.
typedef struct {
    const DiffusionSchedule *schedule;
    int calls;
} Exact;

static void predict_exactly(void *context, Matrix v, Matrix x, int t)
{
    Exact *exact = context;
    exact->calls++;
    const double a = sqrt(exact->schedule->remaining[t]), b = sqrt(1.0 - exact->schedule->remaining[t]);
    const double total = a * a * 0.25 + b * b;
    for (size_t i = 0; i < matrix_size(x); i++) {
        const double x_t = (double)x.data[i], x_0 = 2.0 + a * 0.25 / total * (x_t - 2.0 * a);
        v.data[i] = (float)((a * x_t - x_0) / b);
    }
}

START_TEST(with_the_exact_answer_the_data_come_back)
{
    enum { DRAWN = 20000 };
    Arena *arena = arena_new();
    const DiffusionSchedule s = diffusion_schedule_new(arena, 200);
    for (int random = 0; random < 2; random++) {
        Matrix x = normals(arena, DRAWN, 1, 7);
        Rng rng = rng_new(4, 4);
        Exact exact = {&s, 0};
        const DiffusionPath path = {.steps = random ? 0 : 50, .randomness = (float)random};
        diffusion_draw(x, &s, path, predict_exactly, &exact, &rng);
        ck_assert_int_eq(exact.calls, random ? 200 : 50);
        const double centre = mean(x), spread = sqrt(sum_of_squares(x) / DRAWN - centre * centre);
        ck_assert_msg(fabs(centre - 2.0) < 0.06 && fabs(spread - 0.5) < 0.03, "mean %g, deviation %g", centre,
                      spread);
    }
    arena_free(arena);
}
END_TEST

static Arena *mistaken_arena;
static DiffusionSchedule schedule_for_mistakes(void)
{
    mistaken_arena = arena_new();
    return diffusion_schedule_new(mistaken_arena, 10);
}
static void late_time(void *unused)
{
    (void)unused;
    const DiffusionSchedule s = schedule_for_mistakes();
    Matrix m = matrix_new(mistaken_arena, 1, 2);
    diffusion_noised(m, m, m, (const int[]){11}, &s);
}
static void step_to_more_noise(void *unused)
{
    (void)unused;
    const DiffusionSchedule s = schedule_for_mistakes();
    Matrix m = matrix_new(mistaken_arena, 1, 2);
    diffusion_step(m, m, 3, 3, 0.0f, m, &s);
}
static void shapes_differ(void *unused)
{
    (void)unused;
    const DiffusionSchedule s = schedule_for_mistakes();
    diffusion_data(matrix_new(mistaken_arena, 1, 2), matrix_new(mistaken_arena, 1, 2),
                   matrix_new(mistaken_arena, 2, 1), 3, 0.0f, &s);
}
static void too_many_steps(void *unused)
{
    (void)unused;
    const DiffusionSchedule s = schedule_for_mistakes();
    diffusion_draw(matrix_new(mistaken_arena, 1, 2), &s, (DiffusionPath){.steps = 11}, predict_exactly, NULL,
                   NULL);
}
static void rising(void *unused)
{
    (void)unused;
    diffusion_schedule_of(arena_new(), ((const double[]){1.0, 0.5, 0.6}), 2);
}

START_TEST(mistakes_are_told)
{
    expect_death(late_time, NULL, "diffusion_noised: time 11 of 10");
    expect_death(step_to_more_noise, NULL, "diffusion_step: from time 3 to 3");
    expect_death(shapes_differ, NULL, "diffusion_data: (1 × 2) and (2 × 1)");
    expect_death(too_many_steps, NULL, "diffusion_draw: 11 steps of 10");
    expect_death(rising, NULL, "diffusion_schedule_of: value 2 is 0.6");
}
END_TEST

SUITE("diffusion", what_remains_falls_from_all_to_nearly_nothing, noise_and_velocity_are_a_rotation,
      what_is_found_is_cut_to_where_data_lie, guidance_0_1_and_2, randomness_1_is_the_step_of_ddpm,
      randomness_0_keeps_the_noise, a_path_goes_from_noise_to_data, with_the_exact_answer_the_data_come_back,
      mistakes_are_told)
