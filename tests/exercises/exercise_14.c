// The exercises of chapter 14, LSTM: what each task is tested for, and its points.
// B sequences, H hidden numbers, K characters. What the answers are compared with is computed here, in double.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 14.1: the bias that halves ------------------------------------------------------------------------------------

// By halving the interval: σ(b)^steps grows with b.
static double true_bias(double steps)
{
    double low = -60.0, high = 60.0;
    for (int round = 0; round < 200; round++) {
        double middle = (low + high) / 2.0, left = -steps * log1p(exp(-middle)); // log of σ(b)^steps
        if (left < -log(2.0))
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2.0;
}

static void expect_bias(float steps)
{
    GIVEN(NUMBER("steps", (double)steps));
    double expected = true_bias((double)steps);
    expect_number("bias", forget_bias(steps), expected, 1e-4);
}

START_TEST(a_bias_of_zero_halves_in_one_step)
{
    GIVEN(NUMBER("steps", 1.0));
    ck_assert_msg(fabsf(forget_bias(1.0f)) < 1e-5f, "%s",
                  wrong_because("got %g, expected 0", (double)forget_bias(1.0f)));
}
END_TEST

START_TEST(a_few_steps_need_a_small_bias)
{
    static const float steps[] = {2.0f, 3.0f, 10.0f, 0.5f};
    for (int k = 0; k < 4; k++) expect_bias(steps[k]);
}
END_TEST

START_TEST(ten_thousand_steps_keep_their_digits)
{
    static const float steps[] = {100.0f, 1000.0f, 10000.0f};
    for (int k = 0; k < 3; k++) expect_bias(steps[k]);
}
END_TEST

// ---- TASK 14.2 and 14.3: a step of a GRU -----------------------------------------------------------------------------------

static double gate_of(double z) { return 1.0 / (1.0 + exp(-z)); }

typedef struct {
    Arena *arena;
    Matrix z, h, d_h;
} Step;

static Step random_step(int batch, int hidden, uint64_t seed)
{
    Step s = {.arena = arena_new()};
    Rng rng = rng_new(14, seed);
    s.z = random_normal(s.arena, &rng, batch, 4 * hidden);
    s.h = random_normal(s.arena, &rng, batch, hidden);
    s.d_h = random_normal(s.arena, &rng, batch, hidden);
    scale(s.z, 1.5f);
    return s;
}

// Number k of the state after in row b. One of the sums (which < 4) or the state before (4) is nudged.
static double true_step(Step s, int b, int k, int which, double nudge)
{
    int n = s.h.cols;
    double z[4], before = (double)AT(s.h, b, k) + (which == 4 ? nudge : 0.0);
    for (int part = 0; part < 4; part++)
        z[part] = (double)AT(s.z, b, part * n + k) + (part == which ? nudge : 0.0);
    double candidate = tanh(z[2] + gate_of(z[0]) * z[3]), update = gate_of(z[1]);
    return candidate + update * (before - candidate);
}

static void expect_step(Step s)
{
    Matrix h = matrix_copy(s.arena, s.h);
    double *true_h = doubles(s.arena, matrix_size(h));
    for (int b = 0; b < h.rows; b++)
        for (int k = 0; k < h.cols; k++) true_h[b * h.cols + k] = true_step(s, b, k, -1, 0.0);
    GIVEN(OUT("h", h), IN("z", s.z));
    gru_step(h, s.z);
    expect_within("h", h, true_h, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(s.arena);
}

START_TEST(one_number_computed_by_hand)
{
    // Both gates at ½: the candidate is tanh(1 + ½ · 2) = tanh(2), and the state half of it and half of 2.
    float z_values[] = {0, 0, 1, 2}, h_values[] = {2};
    Matrix z = matrix_view(1, 4, z_values), h = matrix_view(1, 1, h_values);
    GIVEN(OUT("h", h), IN("z", z));
    gru_step(h, z);
    expect_within("h", h, ((double[]){1.482014}), 1e-5);
}
END_TEST

START_TEST(open_and_closed_gates_keep_or_replace)
{
    // Three numbers: all is kept; all is replaced, and the candidate sees the input's part only; or both parts.
    float z_values[] = {0, -50, 50, 50, -50, -50, 3, 0.5f, 0.5f, 3, 1, 1}, h_values[] = {0.25f, 0.25f, 0.25f};
    Matrix z = matrix_view(1, 12, z_values), h = matrix_view(1, 3, h_values);
    GIVEN(OUT("h", h), IN("z", z));
    gru_step(h, z);
    expect_within("h", h, ((double[]){0.25, 0.462117, 0.905148}), 1e-5);
}
END_TEST

static const int shapes[][2] = {{1, 2}, {3, 1}, {2, 3}, {5, 7}, {8, 32}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

START_TEST(steps_of_any_size)
{
    for (int s = 0; s < SHAPES; s++) expect_step(random_step(shapes[s][0], shapes[s][1], (uint64_t)s));
}
END_TEST

// The slopes of each number as differences, times d_h
static void true_gradient(Step s, double *d_z, double *d_h)
{
    int n = s.h.cols;
    const double nudge = 1e-5;
    for (int b = 0; b < s.h.rows; b++)
        for (int k = 0; k < n; k++)
            for (int which = 0; which < 5; which++) {
                double above = true_step(s, b, k, which, nudge), below = true_step(s, b, k, which, -nudge);
                double slope = (double)AT(s.d_h, b, k) * (above - below) / (2.0 * nudge);
                *(which < 4 ? &d_z[b * 4 * n + which * n + k] : &d_h[b * n + k]) = slope;
            }
}

static void expect_step_gradient(Step s)
{
    double *true_z = doubles(s.arena, matrix_size(s.z)), *true_h = doubles(s.arena, matrix_size(s.h));
    true_gradient(s, true_z, true_h);
    Matrix d_z = rubbish(s.arena, s.z.rows, s.z.cols), d_h = matrix_copy(s.arena, s.d_h);
    GIVEN(OUT("d_z", d_z), OUT("d_h", d_h), IN("h", s.h), IN("z", s.z));
    gru_step_gradient(d_z, d_h, s.h, s.z);
    expect_within("d_z", d_z, true_z, 1e-5);
    expect_within("d_h", d_h, true_h, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(s.arena);
}

START_TEST(one_gradient_computed_by_hand)
{
    // Both gates at ½, candidate tanh(0) = 0, state 2, gradient 4. The candidate's sum gets 4 · ½; z₃ half of it, r 2 · 0;
    // u gets 4 · (2 − 0) · ¼, and the state before 4 · ½.
    float z_values[] = {0, 0, 0, 0}, h_values[] = {2}, d_h_values[] = {4}, d_z_values[] = {7, 7, 7, 7};
    Matrix z = matrix_view(1, 4, z_values), h = matrix_view(1, 1, h_values);
    Matrix d_h = matrix_view(1, 1, d_h_values), d_z = matrix_view(1, 4, d_z_values);
    GIVEN(OUT("d_z", d_z), OUT("d_h", d_h), IN("h", h), IN("z", z));
    gru_step_gradient(d_z, d_h, h, z);
    expect_within("d_z", d_z, ((double[]){0, 2, 2, 1}), 1e-5);
    expect_within("d_h", d_h, ((double[]){2}), 1e-5);
}
END_TEST

START_TEST(gradients_of_one_sequence)
{
    expect_step_gradient(random_step(1, 3, 100));
    expect_step_gradient(random_step(1, 17, 101));
}
END_TEST

START_TEST(gradients_of_any_size)
{
    for (int s = 0; s < SHAPES; s++)
        expect_step_gradient(random_step(shapes[s][0], shapes[s][1], 200 + (uint64_t)s));
}
END_TEST

// ---- TASK 14.4: clipping ---------------------------------------------------------------------------------------------------

static void expect_clip(Matrix g, float limit)
{
    Arena *arena = arena_new();
    double square = 0.0, *expected = doubles(arena, matrix_size(g));
    for (size_t i = 0; i < matrix_size(g); i++) square += (double)g.data[i] * (double)g.data[i];
    double factor = fmin(1.0, (double)limit / sqrt(square));
    for (size_t i = 0; i < matrix_size(g); i++) expected[i] = square > 0.0 ? (double)g.data[i] * factor : 0.0;
    GIVEN(OUT("g", g), NUMBER("limit", (double)limit));
    clip(g, limit);
    expect_close("g", g, expected, 1e-5);
    arena_free(arena);
}

START_TEST(three_and_four_make_five)
{
    float values[] = {3, -4};
    Matrix g = matrix_view(1, 2, values);
    GIVEN(OUT("g", g), NUMBER("limit", 1.0));
    clip(g, 1.0f);
    expect_within("g", g, ((double[]){0.6, -0.8}), 1e-5);
}
END_TEST

START_TEST(a_short_gradient_is_left_alone)
{
    float values[] = {3, -4, 0, 0}, before[] = {3, -4, 0, 0};
    Matrix g = matrix_view(2, 2, values);
    GIVEN(OUT("g", g), NUMBER("limit", 5.5));
    clip(g, 5.5f);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(values[i] == before[i], "%s",
                      wrong_because("element %d: got %g, expected %g, unchanged", i, (double)values[i],
                                    (double)before[i]));
    float nothing[] = {0, 0};
    expect_clip(matrix_view(1, 2, nothing), 1.0f);
}
END_TEST

START_TEST(all_rows_together_have_one_length)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(144, 0);
    for (int s = 0; s < SHAPES; s++) {
        Matrix g = random_normal(arena, &rng, shapes[s][0], shapes[s][1]);
        expect_clip(g, 0.25f);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_gradient_that_has_exploded_is_clipped_too)
{
    float values[] = {1e30f, -2e30f, 2e30f, 1.0f};
    expect_clip(matrix_view(2, 2, values), 3.0f);
    const float endless[] = {INFINITY, -INFINITY, NAN};
    for (int e = 0; e < 3; e++) {
        float before[] = {3, endless[e], 4}, got[] = {3, endless[e], 4};
        Matrix g = matrix_view(1, 3, got);
        GIVEN(OUT("g", g), NUMBER("limit", 1.0));
        clip(g, 1.0f);
        for (int i = 0; i < 3; i++)
            ck_assert_msg(memcmp(&got[i], &before[i], sizeof(float)) == 0, "%s",
                          wrong_because("element %d: got %g, expected %g, unchanged", i, (double)got[i],
                                        (double)before[i]));
    }
}
END_TEST

// ---- TASK 14.5: Witten and Bell ----------------------------------------------------------------------------------------------

static void true_model(double *p, Matrix counts)
{
    int k = counts.cols;
    double all = 0.0, kinds = 0.0;
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) all += (double)AT(counts, i, j);
    for (int j = 0; j < k; j++) {
        bool seen = false;
        for (int i = 0; i < k; i++) seen = seen || AT(counts, i, j) > 0.0f;
        kinds += seen ? 1.0 : 0.0;
    }
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            double total = 0.0, different = 0.0, times = 0.0;
            for (int other = 0; other < k; other++) {
                total += (double)AT(counts, i, other);
                different += AT(counts, i, other) > 0.0f ? 1.0 : 0.0;
                times += (double)AT(counts, other, j);
            }
            double single = (times + kinds / k) / (all + kinds);
            p[i * k + j] =
                total > 0.0 ? ((double)AT(counts, i, j) + different * single) / (total + different) : single;
        }
}

static void expect_model(Matrix counts)
{
    Arena *arena = arena_new();
    Matrix p = rubbish(arena, counts.rows, counts.cols);
    double *expected = doubles(arena, matrix_size(counts));
    true_model(expected, counts);
    GIVEN(OUT("p", p), IN("counts", counts));
    witten_bell(p, counts);
    expect_within("p", p, expected, 1e-5);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(two_characters_computed_by_hand)
{
    // 0 was followed by 1 three times, 1 by nothing: P(0) = (0 + ½) / (3 + 1) = 0.125, P(1) = 3.5 / 4 = 0.875.
    // Row 0: total 3, one different: (0 + 0.125) / 4 and (3 + 0.875) / 4. Row 1: P.
    float counts_values[] = {0, 3, 0, 0}, p_values[] = {7, 7, 7, 7};
    Matrix counts = matrix_view(2, 2, counts_values), p = matrix_view(2, 2, p_values);
    GIVEN(OUT("p", p), IN("counts", counts));
    witten_bell(p, counts);
    expect_within("p", p, ((double[]){0.03125, 0.96875, 0.125, 0.875}), 1e-5);
}
END_TEST

// Random counts, many of them 0, and some rows and columns empty.
static Matrix random_counts(Arena *arena, int k, uint64_t seed)
{
    Rng rng = rng_new(145, seed);
    Matrix counts = matrix_new(arena, k, k);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            if (i % 4 != 1 && j % 5 != 2 && rng_below(&rng, 3) > 0)
                AT(counts, i, j) = (float)rng_below(&rng, 9);
    AT(counts, 0, 0) = 1.0f;
    return counts;
}

START_TEST(models_of_any_alphabet)
{
    static const int sizes[] = {1, 2, 3, 7, 20, 80};
    Arena *arena = arena_new();
    for (int s = 0; s < 6; s++) expect_model(random_counts(arena, sizes[s], (uint64_t)s));
    arena_free(arena);
}
END_TEST

START_TEST(each_row_adds_up_to_one)
{
    Arena *arena = arena_new();
    Matrix counts = random_counts(arena, 12, 99), p = rubbish(arena, 12, 12);
    GIVEN(OUT("p", p), IN("counts", counts));
    witten_bell(p, counts);
    for (int i = 0; i < 12; i++) {
        double total = 0.0;
        for (int j = 0; j < 12; j++) {
            total += (double)AT(p, i, j);
            ck_assert_msg(
                AT(p, i, j) > 0.0f, "%s",
                wrong_because("AT(p, %d, %d) is %g: nothing is impossible", i, j, (double)AT(p, i, j)));
        }
        ck_assert_msg(fabs(total - 1.0) < 1e-4, "%s",
                      wrong_because("row %d adds up to %g, expected 1", i, total));
    }
    arena_free(arena);
}
END_TEST

// clang-format off
EXERCISE("14-lstm",
         {"14.1", 3, a_bias_of_zero_halves_in_one_step},
         {"14.1", 4, a_few_steps_need_a_small_bias},
         {"14.1", 3, ten_thousand_steps_keep_their_digits},
         {"14.2", 5, one_number_computed_by_hand},
         {"14.2", 5, open_and_closed_gates_keep_or_replace},
         {"14.2", 10, steps_of_any_size},
         {"14.3", 10, one_gradient_computed_by_hand},
         {"14.3", 10, gradients_of_one_sequence},
         {"14.3", 10, gradients_of_any_size},
         {"14.4", 3, three_and_four_make_five},
         {"14.4", 4, a_short_gradient_is_left_alone},
         {"14.4", 4, all_rows_together_have_one_length},
         {"14.4", 4, a_gradient_that_has_exploded_is_clipped_too},
         {"14.5", 10, two_characters_computed_by_hand},
         {"14.5", 10, models_of_any_alphabet},
         {"14.5", 5, each_row_adds_up_to_one})
