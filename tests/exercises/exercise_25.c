// The exercises of chapter 25, GAN: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 25.1: the generator's loss ------------------------------------------------------------------------

static float call_passing_loss(Matrix d_logits, Matrix logits)
{
    GIVEN(OUT("d_logits", d_logits), IN("logits", logits));
    return passing_loss(d_logits, logits);
}

static void expect_passing_loss(Matrix d_logits, Matrix logits)
{
    Arena *arena = arena_new();
    double *expected = doubles(arena, (size_t)logits.rows), loss = 0.0;
    for (int i = 0; i < logits.rows; i++) {
        double l = (double)logits.data[i];
        loss += log1p(exp(-l)) / logits.rows;
        expected[i] = -1.0 / (1.0 + exp(l)) / logits.rows;
    }
    expect_number("passing_loss", call_passing_loss(d_logits, logits), loss, 1e-5 * (loss + 1e-3));
    expect_close("d_logits", d_logits, expected, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(at_a_logit_of_zero_it_is_log_two)
{
    float values[] = {0.0f}, d_values[] = {7.0f};
    Matrix logits = matrix_view(1, 1, values), d_logits = matrix_view(1, 1, d_values);
    expect_number("passing_loss", call_passing_loss(d_logits, logits), 0.6931472, 1e-5);
    expect_within("d_logits", d_logits, ((double[]){-0.5}), 1e-5);
}
END_TEST

START_TEST(who_is_found_out_feels_the_most)
{
    float values[] = {-4.0f, 4.0f}, d_values[] = {7.0f, 7.0f};
    expect_passing_loss(matrix_view(2, 1, d_values), matrix_view(2, 1, values));
}
END_TEST

START_TEST(passing_losses_of_any_size)
{
    for (int n = 1; n < 40; n += 3) {
        Arena *arena = arena_new();
        Rng rng = rng_new(251, (uint64_t)n);
        Matrix logits = matrix_new(arena, n, 1);
        fill_uniform(logits, &rng, -20.0f, 20.0f);
        expect_passing_loss(rubbish(arena, n, 1), logits);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 25.2: the discriminator's loss --------------------------------------------------------------------

static float call_verdict_loss(Matrix d_real, Matrix d_made, Matrix real, Matrix made)
{
    GIVEN(OUT("d_real", d_real), OUT("d_made", d_made), IN("real", real), IN("made", made));
    return verdict_loss(d_real, d_made, real, made);
}

static double exact_softplus(double t) { return (t > 0.0 ? t : 0.0) + log1p(exp(-fabs(t))); }
static double exact_sigmoid(double t) { return t > 0.0 ? 1.0 / (1.0 + exp(-t)) : exp(t) / (1.0 + exp(t)); }

static void expect_verdict_loss(Arena *arena, Matrix real, Matrix made)
{
    Matrix d_real = rubbish(arena, real.rows, 1), d_made = rubbish(arena, made.rows, 1);
    double *of_real = doubles(arena, (size_t)real.rows), *of_made = doubles(arena, (size_t)made.rows),
           loss = 0.0;
    for (int i = 0; i < real.rows; i++) {
        loss += exact_softplus(-(double)real.data[i]) / real.rows;
        of_real[i] = -exact_sigmoid(-(double)real.data[i]) / real.rows;
    }
    for (int i = 0; i < made.rows; i++) {
        loss += exact_softplus((double)made.data[i]) / made.rows;
        of_made[i] = exact_sigmoid((double)made.data[i]) / made.rows;
    }
    expect_number("verdict_loss", call_verdict_loss(d_real, d_made, real, made), loss, 1e-5 * (loss + 1e-6));
    // What is too small for a normal float has few digits
    expect_within("d_real", d_real, of_real, 1e-5 * largest_size(of_real, (size_t)real.rows) + 1e-37);
    expect_within("d_made", d_made, of_made, 1e-5 * largest_size(of_made, (size_t)made.rows) + 1e-37);
    EXPECT_UNCHANGED();
}

START_TEST(a_coin_loses_twice_log_two)
{
    float real_values[] = {0.0f, 0.0f}, made_values[] = {0.0f}, d_real_values[] = {7.0f, 7.0f},
          d_made_values[] = {7.0f};
    Matrix d_real = matrix_view(2, 1, d_real_values), d_made = matrix_view(1, 1, d_made_values);
    float loss =
        call_verdict_loss(d_real, d_made, matrix_view(2, 1, real_values), matrix_view(1, 1, made_values));
    expect_number("verdict_loss", loss, 1.3862944, 1e-5);
    expect_within("d_real", d_real, ((double[]){-0.25, -0.25}), 1e-5);
    expect_within("d_made", d_made, ((double[]){0.5}), 1e-5);
}
END_TEST

START_TEST(large_logits_stay_finite)
{
    Arena *arena = arena_new();
    float values[] = {200.0f, -200.0f, 90.0f, -90.0f};
    for (int r = 0; r < 4; r++)
        for (int m = 0; m < 4; m++)
            expect_verdict_loss(arena, matrix_view(1, 1, &values[r]), matrix_view(1, 1, &values[m]));
    arena_free(arena);
}
END_TEST

// Both are right and sure of it: what is left of the loss is small and still has digits
START_TEST(small_losses_keep_their_digits)
{
    Arena *arena = arena_new();
    float real_values[] = {19.0f}, made_values[] = {-20.0f}, d_real_values[] = {7.0f},
          d_made_values[] = {7.0f};
    Matrix d_real = matrix_view(1, 1, d_real_values), d_made = matrix_view(1, 1, d_made_values);
    double expected = exact_softplus(-19.0) + exact_softplus(-20.0);
    float loss =
        call_verdict_loss(d_real, d_made, matrix_view(1, 1, real_values), matrix_view(1, 1, made_values));
    expect_number("verdict_loss", loss, expected, 1e-4 * expected);
    arena_free(arena);
}
END_TEST

START_TEST(verdicts_of_any_size)
{
    for (int n = 1; n < 20; n++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(252, (uint64_t)n);
        Matrix real = random_normal(arena, &rng, n, 1), made = random_normal(arena, &rng, 1 + n * 7 % 11, 1);
        scale(real, 4.0f), scale(made, 4.0f);
        expect_verdict_loss(arena, real, made);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 25.3: the penalty ---------------------------------------------------------------------------------

static float call_penalty(Matrix d_w, Matrix d_v, Matrix x, Matrix w, Matrix b, Matrix v, float gamma)
{
    GIVEN(OUT("d_w", d_w), OUT("d_v", d_v), IN("x", x), IN("w", w), IN("b", b), IN("v", v),
          NUMBER("gamma", (double)gamma));
    return flatness_penalty(d_w, d_v, x, w, b, v, gamma);
}

START_TEST(one_unit_on_its_steep_side)
{
    // ∇l = W v = 3 · 2 = 6, the penalty 4 / 2 · 36, its derivatives 4 · 6 · 2 and 4 · 6 · 3
    float x[] = {1}, w[] = {3}, b[] = {0}, v[] = {2}, d_w[] = {7}, d_v[] = {7};
    Matrix to_w = matrix_view(1, 1, d_w), to_v = matrix_view(1, 1, d_v);
    float got = call_penalty(to_w, to_v, matrix_view(1, 1, x), matrix_view(1, 1, w), matrix_view(1, 1, b),
                             matrix_view(1, 1, v), 4.0f);
    expect_number("flatness_penalty", got, 72.0, 1e-3);
    expect_within("d_w", to_w, ((double[]){48}), 1e-3);
    expect_within("d_v", to_v, ((double[]){72}), 1e-3);
}
END_TEST

START_TEST(one_unit_on_its_flat_side)
{
    // The bias puts it there: ∇l = .2 · 3 · 2 = 1.2
    float x[] = {1}, w[] = {3}, b[] = {-5}, v[] = {2}, d_w[] = {7}, d_v[] = {7};
    Matrix to_w = matrix_view(1, 1, d_w), to_v = matrix_view(1, 1, d_v);
    float got = call_penalty(to_w, to_v, matrix_view(1, 1, x), matrix_view(1, 1, w), matrix_view(1, 1, b),
                             matrix_view(1, 1, v), 4.0f);
    expect_number("flatness_penalty", got, 2.88, 1e-4);
    expect_within("d_w", to_w, ((double[]){1.92}), 1e-4);
    expect_within("d_v", to_v, ((double[]){2.88}), 1e-4);
}
END_TEST

START_TEST(at_the_kink_a_unit_is_flat)
{
    // 1 · 3 − 3 = 0 is not larger than 0
    float x[] = {1}, w[] = {3}, b[] = {-3}, v[] = {2}, d_w[] = {7}, d_v[] = {7};
    Matrix to_w = matrix_view(1, 1, d_w), to_v = matrix_view(1, 1, d_v);
    float got = call_penalty(to_w, to_v, matrix_view(1, 1, x), matrix_view(1, 1, w), matrix_view(1, 1, b),
                             matrix_view(1, 1, v), 4.0f);
    expect_number("flatness_penalty", got, 2.88, 1e-4);
    expect_within("d_w", to_w, ((double[]){1.92}), 1e-4);
    expect_within("d_v", to_v, ((double[]){2.88}), 1e-4);
}
END_TEST

START_TEST(penalties_of_any_size)
{
    for (int s = 0; s < 12; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(253, (uint64_t)s);
        int n = 1 + s, inputs = 1 + s % 5, hidden = 1 + 3 * s % 8;
        float gamma = 0.5f + (float)s;
        Matrix x = random_normal(arena, &rng, n, inputs), w = random_normal(arena, &rng, inputs, hidden);
        Matrix b = random_normal(arena, &rng, 1, hidden), v = random_normal(arena, &rng, hidden, 1);
        double *d_w = arena_zeros(arena, matrix_size(w), sizeof(double)),
               *d_v = arena_zeros(arena, matrix_size(v), sizeof(double)), value = 0.0;
        for (int k = 0; k < n; k++) {
            double slope[16], g[16] = {0.0};
            for (int h = 0; h < hidden; h++) {
                double t = (double)b.data[h];
                for (int i = 0; i < inputs; i++) t += (double)AT(x, k, i) * (double)AT(w, i, h);
                slope[h] = t > 0.0 ? 1.0 : (double)0.2f;
            }
            for (int i = 0; i < inputs; i++) {
                for (int h = 0; h < hidden; h++) g[i] += (double)AT(w, i, h) * slope[h] * (double)v.data[h];
                value += 0.5 * (double)gamma * g[i] * g[i] / n;
                for (int h = 0; h < hidden; h++) {
                    d_w[i * hidden + h] += (double)gamma * g[i] / n * slope[h] * (double)v.data[h];
                    d_v[h] += (double)gamma * g[i] / n * slope[h] * (double)AT(w, i, h);
                }
            }
        }
        Matrix got_w = rubbish(arena, inputs, hidden), got_v = rubbish(arena, hidden, 1);
        float got = call_penalty(got_w, got_v, x, w, b, v, gamma);
        expect_number("flatness_penalty", got, value, 1e-4 * value);
        expect_close("d_w", got_w, d_w, 1e-4);
        expect_close("d_v", got_v, d_v, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 25.4: modes ---------------------------------------------------------------------------------------

static int call_modes(Matrix counts, Matrix points, Matrix centres, float radius, int least)
{
    GIVEN(OUT("counts", counts), IN("points", points), IN("centres", centres),
          NUMBER("radius", (double)radius), NUMBER("least", least));
    return modes_found(counts, points, centres, radius, least);
}

START_TEST(borders_belong_to_a_mode)
{
    // The first centre has a point on its border and one in it, the second one point, the third none
    float points[] = {3, 4, 0, 1, 10, 0}, centres[] = {0, 0, 10, 0, -10, 0}, counts[] = {7, 7, 7};
    Matrix to = matrix_view(1, 3, counts);
    int found = call_modes(to, matrix_view(3, 2, points), matrix_view(3, 2, centres), 5.0f, 2);
    expect_within("counts", to, ((double[]){2, 1, 0}), 0.0);
    expect_number("modes_found", found, 1.0, 0.0);
}
END_TEST

START_TEST(a_point_may_count_twice)
{
    float points[] = {0.5f}, centres[] = {0, 1}, counts[] = {7, 7};
    Matrix to = matrix_view(1, 2, counts);
    int found = call_modes(to, matrix_view(1, 1, points), matrix_view(2, 1, centres), 1.0f, 1);
    expect_within("counts", to, ((double[]){1, 1}), 0.0);
    expect_number("modes_found", found, 2.0, 0.0);
}
END_TEST

START_TEST(modes_of_any_size)
{
    for (int s = 0; s < 12; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(254, (uint64_t)s);
        int modes = 1 + s % 6, dimensions = 1 + s % 4, least = 1 + s, expected = 0;
        Matrix points = random_normal(arena, &rng, 10 * s + 1, dimensions),
               centres = random_normal(arena, &rng, modes, dimensions), counts = rubbish(arena, 1, modes);
        double *right = doubles(arena, (size_t)modes);
        for (int m = 0; m < modes; m++) {
            right[m] = 0.0;
            for (int n = 0; n < points.rows; n++) {
                double square = 0.0;
                for (int d = 0; d < dimensions; d++) {
                    double apart = (double)AT(points, n, d) - (double)AT(centres, m, d);
                    square += apart * apart;
                }
                right[m] += sqrt(square) <= 0.9;
            }
            expected += right[m] >= least;
        }
        int found = call_modes(counts, points, centres, 0.9f, least);
        expect_within("counts", counts, right, 0.0);
        expect_number("modes_found", found, expected, 0.0);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 25.5: the distance --------------------------------------------------------------------------------

static void expect_distance(Matrix a, Matrix b)
{
    GIVEN(IN("a", a), IN("b", b));
    double average[2], deviation[2];
    const Matrix lists[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        double total = 0.0, squares = 0.0;
        for (int i = 0; i < lists[k].rows; i++) total += (double)lists[k].data[i] / lists[k].rows;
        for (int i = 0; i < lists[k].rows; i++) squares += pow((double)lists[k].data[i] - total, 2.0);
        average[k] = total, deviation[k] = sqrt(squares / (lists[k].rows - 1));
    }
    double expected = pow(average[0] - average[1], 2.0) + pow(deviation[0] - deviation[1], 2.0);
    expect_number("distance_of_numbers", distance_of_numbers(a, b), expected, 1e-4 * expected + 1e-6);
    EXPECT_UNCHANGED();
}

START_TEST(a_shifted_list_is_as_far_as_the_shift)
{
    float a[] = {1, 2, 3}, b[] = {4, 5, 6};
    expect_distance(matrix_view(3, 1, a), matrix_view(3, 1, b));
}
END_TEST

START_TEST(a_wider_list_is_as_far_as_its_deviation)
{
    float a[] = {-1, 1}, b[] = {-3, 3};
    expect_distance(matrix_view(2, 1, a), matrix_view(2, 1, b));
}
END_TEST

START_TEST(distances_of_any_size)
{
    for (int s = 0; s < 12; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(255, (uint64_t)s);
        Matrix a = random_normal(arena, &rng, 2 + s, 1), b = random_normal(arena, &rng, 2 + 5 * s % 9, 1);
        scale(b, 0.5f + (float)s), add_scalar(b, (float)(s - 5));
        expect_distance(a, b);
        arena_free(arena);
    }
}
END_TEST

START_TEST(a_large_mean_does_not_swallow_the_deviation)
{
    float a[] = {9999, 10000, 10001}, b[] = {9997, 10000, 10003};
    expect_distance(matrix_view(3, 1, a), matrix_view(3, 1, b));
}
END_TEST

// clang-format off
EXERCISE("25-gan",
         {"25.1", 5, at_a_logit_of_zero_it_is_log_two},
         {"25.1", 5, who_is_found_out_feels_the_most},
         {"25.1", 8, passing_losses_of_any_size},
         {"25.2", 5, a_coin_loses_twice_log_two},
         {"25.2", 7, large_logits_stay_finite},
         {"25.2", 3, small_losses_keep_their_digits},
         {"25.2", 7, verdicts_of_any_size},
         {"25.3", 6, one_unit_on_its_steep_side},
         {"25.3", 6, one_unit_on_its_flat_side},
         {"25.3", 2, at_the_kink_a_unit_is_flat},
         {"25.3", 11, penalties_of_any_size},
         {"25.4", 5, borders_belong_to_a_mode},
         {"25.4", 4, a_point_may_count_twice},
         {"25.4", 8, modes_of_any_size},
         {"25.5", 4, a_shifted_list_is_as_far_as_the_shift},
         {"25.5", 4, a_wider_list_is_as_far_as_its_deviation},
         {"25.5", 6, distances_of_any_size},
         {"25.5", 4, a_large_mean_does_not_swallow_the_deviation})
