// The exercises of chapter 26, Diffusion: what each task is tested for, and its points.
// n examples of D numbers. What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    int rows, cols;
} Case;

// The small ones first, because a message shows them whole.
static const Case cases[] = {{1, 1}, {1, 3}, {2, 2}, {5, 1}, {3, 7}, {20, 33}};
enum { CASES = sizeof cases / sizeof *cases };

// ā of each row, from nearly 0 to 1
static Matrix some_remaining(Arena *arena, Rng *rng, int rows)
{
    Matrix remaining = matrix_new(arena, rows, 1);
    for (int i = 0; i < rows; i++) remaining.data[i] = rng_between(rng, 0.001f, 0.999f);
    if (rows > 2) remaining.data[1] = 1.0f;
    return remaining;
}

// ---- TASK 26.1: the schedule --------------------------------------------------------------------------------

static void call_schedule(Matrix remaining, float end, float offset)
{
    GIVEN(OUT("remaining", remaining), NUMBER("end", end), NUMBER("offset", offset));
    cosine_schedule_of(remaining, end, offset);
}

static void expect_schedule(int steps, float end, float offset)
{
    Arena *arena = arena_new();
    Matrix remaining = rubbish(arena, 1, steps + 1);
    double *expected = doubles(arena, (size_t)steps + 1);
    for (int t = 0; t <= steps; t++) {
        double half = 1.5707963267948966, start = cos(half * (double)offset / (1.0 + (double)offset));
        double angle = half * ((double)t / steps * (double)end + (double)offset) / (1.0 + (double)offset);
        expected[t] = cos(angle) * cos(angle) / (start * start);
    }
    call_schedule(remaining, end, offset);
    expect_within("remaining", remaining, expected, 1e-5);
    arena_free(arena);
}

START_TEST(all_remains_at_the_beginning)
{
    float values[] = {7, 7, 7};
    Matrix remaining = matrix_view(1, 3, values);
    call_schedule(remaining, 0.5f, 0.008f);
    expect_number("remaining(0)", remaining.data[0], 1.0, 1e-6);
}
END_TEST

START_TEST(the_schedule_of_this_chapter) { expect_schedule(200, 0.985f, 0.008f); }
END_TEST

START_TEST(schedules_of_any_length)
{
    expect_schedule(1, 0.9f, 0.1f);
    expect_schedule(2, 0.5f, 0.3f);
    expect_schedule(7, 0.99f, 0.01f);
    expect_schedule(1000, 0.97f, 0.05f);
}
END_TEST

// ---- TASK 26.2: noise, and the target -----------------------------------------------------------------------

static void call_noised(Matrix x_t, Matrix v, Matrix x_0, Matrix noise, Matrix remaining)
{
    GIVEN(OUT("x_t", x_t), OUT("v", v), IN("x_0", x_0), IN("noise", noise), IN("remaining", remaining));
    noised_and_target(x_t, v, x_0, noise, remaining);
}

START_TEST(three_parts_and_four)
{
    // √.64 = .8, √.36 = .6
    float x_values[] = {1, 0}, noise_values[] = {0, 1}, remaining_values[] = {0.64f}, a[] = {7, 7},
          b[] = {7, 7};
    Matrix x_t = matrix_view(1, 2, a), v = matrix_view(1, 2, b);
    call_noised(x_t, v, matrix_view(1, 2, x_values), matrix_view(1, 2, noise_values),
                matrix_view(1, 1, remaining_values));
    expect_within("x_t", x_t, ((double[]){0.8, 0.6}), 1e-6);
    expect_within("v", v, ((double[]){-0.6, 0.8}), 1e-6);
}
END_TEST

START_TEST(each_row_has_its_own_time)
{
    float x_values[] = {1, 1}, noise_values[] = {2, 2}, remaining_values[] = {1.0f, 0.36f}, a[] = {7, 7},
          b[] = {7, 7};
    Matrix x_t = matrix_view(2, 1, a), v = matrix_view(2, 1, b);
    call_noised(x_t, v, matrix_view(2, 1, x_values), matrix_view(2, 1, noise_values),
                matrix_view(2, 1, remaining_values));
    expect_within("x_t", x_t, ((double[]){1.0, 2.2}), 1e-5);
    expect_within("v", v, ((double[]){2.0, 0.4}), 1e-5);
}
END_TEST

START_TEST(noise_on_data_of_any_size)
{
    for (int s = 0; s < CASES; s++) {
        Case z = cases[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(262, (uint64_t)s);
        Matrix x_0 = random_normal(arena, &rng, z.rows, z.cols),
               noise = random_normal(arena, &rng, z.rows, z.cols),
               remaining = some_remaining(arena, &rng, z.rows);
        Matrix x_t = rubbish(arena, z.rows, z.cols), v = rubbish(arena, z.rows, z.cols);
        double *of_x = doubles(arena, matrix_size(x_t)), *of_v = doubles(arena, matrix_size(v));
        for (int i = 0; i < z.rows * z.cols; i++) {
            double a = sqrt((double)remaining.data[i / z.cols]),
                   b = sqrt(1.0 - (double)remaining.data[i / z.cols]);
            of_x[i] = a * (double)x_0.data[i] + b * (double)noise.data[i];
            of_v[i] = a * (double)noise.data[i] - b * (double)x_0.data[i];
        }
        call_noised(x_t, v, x_0, noise, remaining);
        expect_within("x_t", x_t, of_x, 1e-5);
        expect_within("v", v, of_v, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 26.3: and back ------------------------------------------------------------------------------------

static void call_taken_apart(Matrix x_0, Matrix noise, Matrix x_t, Matrix v, Matrix remaining)
{
    GIVEN(OUT("x_0", x_0), OUT("noise", noise), IN("x_t", x_t), IN("v", v), IN("remaining", remaining));
    taken_apart(x_0, noise, x_t, v, remaining);
}

START_TEST(the_parts_of_one_number)
{
    float x_values[] = {1, 0}, v_values[] = {0, 1}, remaining_values[] = {0.64f}, a[] = {7, 7}, b[] = {7, 7};
    Matrix x_0 = matrix_view(1, 2, a), noise = matrix_view(1, 2, b);
    call_taken_apart(x_0, noise, matrix_view(1, 2, x_values), matrix_view(1, 2, v_values),
                     matrix_view(1, 1, remaining_values));
    expect_within("x_0", x_0, ((double[]){0.8, -0.6}), 1e-6);
    expect_within("noise", noise, ((double[]){0.6, 0.8}), 1e-6);
}
END_TEST

START_TEST(what_was_put_together_comes_apart)
{
    for (int s = 0; s < CASES; s++) {
        Case z = cases[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(263, (uint64_t)s);
        Matrix data = random_normal(arena, &rng, z.rows, z.cols),
               drawn = random_normal(arena, &rng, z.rows, z.cols),
               remaining = some_remaining(arena, &rng, z.rows);
        Matrix x_t = matrix_new(arena, z.rows, z.cols), v = matrix_new(arena, z.rows, z.cols);
        double *of_x = doubles(arena, matrix_size(x_t)), *of_noise = doubles(arena, matrix_size(v));
        for (int i = 0; i < z.rows * z.cols; i++) {
            double a = sqrt((double)remaining.data[i / z.cols]),
                   b = sqrt(1.0 - (double)remaining.data[i / z.cols]);
            x_t.data[i] = (float)(a * (double)data.data[i] + b * (double)drawn.data[i]);
            v.data[i] = (float)(a * (double)drawn.data[i] - b * (double)data.data[i]);
            of_x[i] = (double)data.data[i], of_noise[i] = (double)drawn.data[i];
        }
        Matrix x_0 = rubbish(arena, z.rows, z.cols), noise = rubbish(arena, z.rows, z.cols);
        call_taken_apart(x_0, noise, x_t, v, remaining);
        expect_within("x_0", x_0, of_x, 1e-5);
        expect_within("noise", noise, of_noise, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 26.4: a step of DDIM ------------------------------------------------------------------------------

static void call_jump(Matrix earlier, Matrix x, Matrix v, float now, float then)
{
    GIVEN(OUT("earlier", earlier), IN("x", x), IN("v", v), NUMBER("now", now), NUMBER("then", then));
    jump_back(earlier, x, v, now, then);
}

START_TEST(at_the_end_the_data_are_left)
{
    float x_values[] = {1, 0}, v_values[] = {0, 1}, out[] = {7, 7};
    Matrix earlier = matrix_view(1, 2, out);
    call_jump(earlier, matrix_view(1, 2, x_values), matrix_view(1, 2, v_values), 0.64f, 1.0f);
    expect_within("earlier", earlier, ((double[]){0.8, -0.6}), 1e-6);
}
END_TEST

START_TEST(jumps_of_any_length)
{
    for (int s = 0; s < CASES; s++) {
        Case z = cases[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(264, (uint64_t)s);
        Matrix x = random_normal(arena, &rng, z.rows, z.cols), v = random_normal(arena, &rng, z.rows, z.cols),
               earlier = rubbish(arena, z.rows, z.cols);
        float now = rng_between(&rng, 0.01f, 0.6f), then = rng_between(&rng, now + 0.1f, 0.99f);
        double *expected = doubles(arena, matrix_size(x));
        for (size_t i = 0; i < matrix_size(x); i++) {
            double a = sqrt((double)now), b = sqrt(1.0 - (double)now);
            double data = a * (double)x.data[i] - b * (double)v.data[i],
                   noise = b * (double)x.data[i] + a * (double)v.data[i];
            expected[i] = sqrt((double)then) * data + sqrt(1.0 - (double)then) * noise;
        }
        call_jump(earlier, x, v, now, then);
        expect_within("earlier", earlier, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 26.5: a guided step of DDPM -----------------------------------------------------------------------

static void call_guided(Matrix earlier, Matrix x, Matrix v_told, Matrix v_none, Matrix fresh, float guidance,
                        float now, float then)
{
    GIVEN(OUT("earlier", earlier), IN("x", x), IN("v_told", v_told), IN("v_none", v_none), IN("fresh", fresh),
          NUMBER("guidance", guidance), NUMBER("now", now), NUMBER("then", then));
    guided_step_back(earlier, x, v_told, v_none, fresh, guidance, now, then);
}

static void expect_guided(int seed, Case z, float guidance, float now, float then, float size)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(265, (uint64_t)seed);
    Matrix x = random_normal(arena, &rng, z.rows, z.cols), told = random_normal(arena, &rng, z.rows, z.cols),
           none = random_normal(arena, &rng, z.rows, z.cols),
           fresh = random_normal(arena, &rng, z.rows, z.cols), earlier = rubbish(arena, z.rows, z.cols);
    scale(x, size), scale(told, size), scale(none, size);
    double *expected = doubles(arena, matrix_size(x));
    double a = (double)now, b = (double)then, alpha = a / b, beta = 1.0 - alpha;
    for (size_t i = 0; i < matrix_size(x); i++) {
        double v = (double)none.data[i] + (double)guidance * ((double)told.data[i] - (double)none.data[i]);
        double data = fmax(-1.0, fmin(1.0, sqrt(a) * (double)x.data[i] - sqrt(1.0 - a) * v));
        double centre =
            sqrt(b) * beta / (1.0 - a) * data + sqrt(alpha) * (1.0 - b) / (1.0 - a) * (double)x.data[i];
        expected[i] = centre + sqrt((1.0 - b) / (1.0 - a) * beta) * (double)fresh.data[i];
    }
    call_guided(earlier, x, told, none, fresh, guidance, now, then);
    expect_within("earlier", earlier, expected, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(without_guidance_a_small_step)
{
    for (int s = 0; s < CASES; s++) expect_guided(s, cases[s], 1.0f, 0.5f, 0.55f, 0.3f);
}
END_TEST

START_TEST(the_last_step_gives_the_data)
{
    for (int s = 0; s < CASES; s++) expect_guided(s + 10, cases[s], 0.0f, 0.9f, 1.0f, 0.3f);
}
END_TEST

START_TEST(guided_and_cut)
{
    for (int s = 0; s < CASES; s++) expect_guided(s + 20, cases[s], 2.0f + (float)s, 0.3f, 0.4f, 1.5f);
}
END_TEST

// clang-format off
EXERCISE("26-diffusion",
         {"26.1", 4, all_remains_at_the_beginning},
         {"26.1", 8, the_schedule_of_this_chapter},
         {"26.1", 8, schedules_of_any_length},
         {"26.2", 6, three_parts_and_four},
         {"26.2", 6, each_row_has_its_own_time},
         {"26.2", 8, noise_on_data_of_any_size},
         {"26.3", 8, the_parts_of_one_number},
         {"26.3", 12, what_was_put_together_comes_apart},
         {"26.4", 6, at_the_end_the_data_are_left},
         {"26.4", 9, jumps_of_any_length},
         {"26.5", 8, without_guidance_a_small_step},
         {"26.5", 5, the_last_step_gives_the_data},
         {"26.5", 12, guided_and_cut})
