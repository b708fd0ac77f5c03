// The exercises of chapter 9, Deep is hard: what each task is tested for, and its points.
// N rows, C columns, L layers. What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

enum { MOST_LAYERS = 16 };

static double *widened(Arena *arena, Matrix m)
{
    double *wide = doubles(arena, matrix_size(m));
    for (size_t i = 0; i < matrix_size(m); i++) wide[i] = (double)m.data[i];
    return wide;
}

// ---- TASK 9.1: the gain that keeps ------------------------------------------------------------------------

static void expect_gain(float slope)
{
    GIVEN(NUMBER("slope", (double)slope));
    double expected = sqrt(2.0 / (1.0 + (double)slope * (double)slope));
    expect_number("gain", keeping_gain(slope), expected, 1e-6);
}

START_TEST(the_gain_of_a_bend_at_zero_is_root_2) { expect_gain(0.0f); }
END_TEST

START_TEST(without_a_bend_nothing_needs_to_be_gained) { expect_gain(1.0f); }
END_TEST

START_TEST(leaky_bends_need_a_little_less)
{
    static const float slopes[] = {0.01f, 0.2f, 0.5f, 0.9f};
    for (int s = 0; s < 4; s++) expect_gain(slopes[s]);
}
END_TEST

// ---- TASK 9.2: layer normalisation ------------------------------------------------------------------------

// One row of c numbers.
static void true_normal(double *y, const double *x, int c)
{
    double average = 0.0, variance = 0.0;
    for (int j = 0; j < c; j++) average += x[j] / c;
    for (int j = 0; j < c; j++) variance += (x[j] - average) * (x[j] - average) / c;
    for (int j = 0; j < c; j++) y[j] = (x[j] - average) / sqrt(variance + 1e-5);
}

static const int shapes[][2] = {{1, 1}, {1, 2}, {3, 2}, {2, 5}, {7, 3}, {5, 17}, {31, MAX_FEATURES}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

START_TEST(two_rows_computed_by_hand)
{
    // Mean 2 and variance 1; mean 0 and variance 4: beside them 1e-5 is little.
    float x_values[] = {1, 3, 2, -2}, y_values[] = {7, 7, 7, 7}; // to be overwritten
    Matrix y = matrix_view(2, 2, y_values), x = matrix_view(2, 2, x_values);
    GIVEN(OUT("y", y), IN("x", x));
    normalise(y, x);
    expect_within("y", y, ((double[]){-1, 1, 1, -1}), 2e-5);
}
END_TEST

START_TEST(a_constant_row_becomes_zeros)
{
    float x_values[] = {5, 5, 5, -2, -2, -2}, y_values[] = {7, 7, 7, 7, 7, 7};
    Matrix y = matrix_view(2, 3, y_values), x = matrix_view(2, 3, x_values);
    GIVEN(OUT("y", y), IN("x", x));
    normalise(y, x);
    expect_within("y", y, ((double[]){0, 0, 0, 0, 0, 0}), 1e-3);
}
END_TEST

static void expect_normal(int n, int c, float deviation)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(9, (uint64_t)(100 * n + c));
    Matrix x = random_normal(arena, &rng, n, c), y = rubbish(arena, n, c);
    scale(x, deviation);
    add_scalar(x, 0.5f * deviation);
    double *wide = widened(arena, x), *expected = doubles(arena, matrix_size(x));
    for (int i = 0; i < n; i++) true_normal(expected + i * c, wide + i * c, c);
    GIVEN(OUT("y", y), IN("x", x));
    normalise(y, x);
    expect_within("y", y, expected, 1e-4);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(rows_of_any_length_are_normalised)
{
    for (int s = 0; s < SHAPES; s++) expect_normal(shapes[s][0], shapes[s][1], 1.0f);
}
END_TEST

START_TEST(rows_with_a_variance_near_1e_5_tell_where_it_is_added)
{
    for (int s = 0; s < SHAPES; s++) expect_normal(shapes[s][0], shapes[s][1], 0.003f);
}
END_TEST

// ---- TASK 9.3: its derivative -----------------------------------------------------------------------------

// One row: each output's derivative with each input, added up. d y_k / d x_j = ([j = k] − 1/c − y_j y_k / c) / deviation.
static void true_normal_gradient(double *d_x, const double *d_y, const double *x, int c)
{
    double y[MAX_FEATURES], average = 0.0, variance = 0.0;
    true_normal(y, x, c);
    for (int j = 0; j < c; j++) average += x[j] / c;
    for (int j = 0; j < c; j++) variance += (x[j] - average) * (x[j] - average) / c;
    for (int j = 0; j < c; j++) {
        d_x[j] = 0.0;
        for (int k = 0; k < c; k++)
            d_x[j] += d_y[k] * ((j == k ? 1.0 : 0.0) - (1.0 + y[j] * y[k]) / c) / sqrt(variance + 1e-5);
    }
}

static void expect_normal_gradient(int n, int c, float average, float deviation, double tolerance)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(93, (uint64_t)(100 * n + c));
    Matrix x = random_normal(arena, &rng, n, c), d_y = random_normal(arena, &rng, n, c);
    Matrix d_x = rubbish(arena, n, c);
    scale(x, deviation);
    add_scalar(x, average);
    double *wide_x = widened(arena, x), *wide_d = widened(arena, d_y),
           *expected = doubles(arena, matrix_size(x));
    for (int i = 0; i < n; i++) true_normal_gradient(expected + i * c, wide_d + i * c, wide_x + i * c, c);
    double most = largest_size(expected, matrix_size(x));
    GIVEN(OUT("d_x", d_x), IN("d_y", d_y), IN("x", x));
    normalise_gradient(d_x, d_y, x);
    expect_within("d_x", d_x, expected, tolerance * fmax(most, 1e-3));
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(the_derivative_of_three_numbers_computed_by_hand)
{
    // Mean 0 and variance 2, so y = {0, 1, −1} · √1.5 beside which 1e-5 is little. d_y = {1, 0, 0} has the mean ⅓ and
    // nothing along y: {⅔, −⅓, −⅓} / √2.
    float x_values[] = {0, 1.7320508f, -1.7320508f}, d_y_values[] = {1, 0, 0}, d_x_values[] = {7, 7, 7};
    Matrix d_x = matrix_view(1, 3, d_x_values), d_y = matrix_view(1, 3, d_y_values),
           x = matrix_view(1, 3, x_values);
    GIVEN(OUT("d_x", d_x), IN("d_y", d_y), IN("x", x));
    normalise_gradient(d_x, d_y, x);
    expect_within("d_x", d_x, ((double[]){0.4714045, -0.2357023, -0.2357023}), 1e-5);
}
END_TEST

START_TEST(the_derivative_is_right_for_any_length)
{
    for (int s = 0; s < SHAPES; s++) expect_normal_gradient(shapes[s][0], shapes[s][1], 0.5f, 1.0f, 1e-3);
}
END_TEST

START_TEST(the_derivative_is_right_where_the_variance_is_near_1e_5)
{
    for (int s = 1; s < SHAPES; s++) expect_normal_gradient(shapes[s][0], shapes[s][1], 0.001f, 0.003f, 1e-3);
}
END_TEST

START_TEST(rows_far_from_zero_keep_three_digits)
{
    for (int s = 0; s < SHAPES; s++) {
        if (shapes[s][1] < 5) continue; // three random numbers may be nearly equal: their deviation is not 1
        expect_normal_gradient(shapes[s][0], shapes[s][1], 1000.0f, 1.0f, 1e-3);
        expect_normal_gradient(shapes[s][0], shapes[s][1], -1000.0f, 1.0f, 1e-3);
    }
}
END_TEST

// ---- TASK 9.4: the stack ----------------------------------------------------------------------------------

typedef struct {
    int n, c, layers;
} Stack;

static const Stack stacks[] = {{1, 1, 1}, {1, 2, 1},  {2, 3, 2},           {1, 4, 5},
                               {3, 5, 3}, {9, 13, 4}, {5, 24, MOST_LAYERS}};
enum { STACKS = sizeof stacks / sizeof *stacks };

// One row h (C) through every layer; entered (L × C), if asked for, receives what each layer was given. Returns the
// distance of the nearest sum from its kink.
static double true_stack(double *h, double *entered, Matrix w)
{
    int c = w.cols;
    double normal[MAX_FEATURES], closest = INFINITY;
    for (int layer = 0; layer < w.rows / c; layer++) {
        if (entered) memcpy(entered + layer * c, h, (size_t)c * sizeof *h);
        true_normal(normal, h, c);
        for (int k = 0; k < c; k++) {
            double a = 0.0;
            for (int j = 0; j < c; j++) a += normal[j] * (double)AT(w, layer * c + j, k);
            closest = fmin(closest, fabs(a));
            h[k] += fmax(0.0, a);
        }
    }
    return closest;
}

// Weights that keep the size of the signal.
static Matrix stack_weights(Arena *arena, Rng *rng, Stack t)
{
    Matrix w = random_normal(arena, rng, t.layers * t.c, t.c);
    scale(w, 1.0f / sqrtf((float)t.c));
    return w;
}

START_TEST(a_stack_of_one_layer_computed_by_hand)
{
    // normalise({1, 3}) = {−1, 1}; times w: {1 + 2, −3 − 2} = {3, −5}; activated {3, 0}; h = {4, 3}.
    float h_values[] = {1, 3}, w_values[] = {-1, 3, 2, -2};
    Matrix h = matrix_view(1, 2, h_values), w = matrix_view(2, 2, w_values);
    GIVEN(OUT("h", h), IN("w", w));
    stack_forward(h, w);
    expect_within("h", h, ((double[]){4, 3}), 1e-4);
}
END_TEST

START_TEST(the_second_layer_takes_the_rows_below_and_what_the_first_gave)
{
    // First layer as above: {4, 3}, normalised {1, −1}; the second gives {1 − 3, 2 − (−1)} = {−2, 3}, activated {0, 3}.
    float h_values[] = {1, 3}, w_values[] = {-1, 3, 2, -2, 1, 2, 3, -1};
    Matrix h = matrix_view(1, 2, h_values), w = matrix_view(4, 2, w_values);
    GIVEN(OUT("h", h), IN("w", w));
    stack_forward(h, w);
    expect_within("h", h, ((double[]){4, 6}), 5e-4);
}
END_TEST

START_TEST(stacks_of_any_size_carry_their_input_up)
{
    for (int s = 0; s < STACKS; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(94, (uint64_t)s);
        Stack t = stacks[s];
        Matrix h = random_normal(arena, &rng, t.n, t.c), w = stack_weights(arena, &rng, t);
        double *expected = widened(arena, h);
        for (int i = 0; i < t.n; i++) true_stack(expected + i * t.c, NULL, w);
        GIVEN(OUT("h", h), IN("w", w));
        stack_forward(h, w);
        expect_close("h", h, expected, 1e-3);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 9.5: backwards through the stack ----------------------------------------------------------------

// One row: x (C) is the input, d (C) the gradient of the output and then of the input.
static double true_stack_gradient(double *d, const double *x, Matrix w)
{
    int c = w.cols;
    double h[MAX_FEATURES], entered[MOST_LAYERS * MAX_FEATURES], normal[MAX_FEATURES], d_normal[MAX_FEATURES];
    double d_h[MAX_FEATURES];
    memcpy(h, x, (size_t)c * sizeof *h);
    double closest = true_stack(h, entered, w);
    for (int layer = w.rows / c - 1; layer >= 0; layer--) {
        true_normal(normal, entered + layer * c, c);
        for (int j = 0; j < c; j++) d_normal[j] = 0.0;
        for (int k = 0; k < c; k++) {
            double a = 0.0;
            for (int j = 0; j < c; j++) a += normal[j] * (double)AT(w, layer * c + j, k);
            for (int j = 0; j < c && a > 0.0; j++) d_normal[j] += d[k] * (double)AT(w, layer * c + j, k);
        }
        true_normal_gradient(d_h, d_normal, entered + layer * c, c);
        for (int j = 0; j < c; j++) d[j] += d_h[j];
    }
    return closest;
}

static void expect_stack_gradient(Stack t, uint64_t seed)
{
    Arena *arena = arena_new();
    Matrix d, x, w;
    double *expected, *wide, closest;
    do { // at a kink rounding decides which side
        Rng rng = rng_new(95, seed++);
        d = random_normal(arena, &rng, t.n, t.c);
        x = random_normal(arena, &rng, t.n, t.c);
        w = stack_weights(arena, &rng, t);
        expected = widened(arena, d);
        wide = widened(arena, x);
        closest = INFINITY;
        for (int i = 0; i < t.n; i++)
            closest = fmin(closest, true_stack_gradient(expected + i * t.c, wide + i * t.c, w));
    } while (closest < 1e-4 && t.c > 1);
    GIVEN(OUT("d", d), IN("x", x), IN("w", w));
    stack_gradient(d, x, w);
    expect_close("d", d, expected, 2e-3);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(a_silent_stack_hands_the_gradient_down_unchanged)
{
    // normalise({1, 3}) = {−1, 1}: both sums are negative, so only the shortcut past the branch is left.
    float d_values[] = {5, -2}, x_values[] = {1, 3}, w_values[] = {2, 3, -2, -3};
    Matrix d = matrix_view(1, 2, d_values), x = matrix_view(1, 2, x_values), w = matrix_view(2, 2, w_values);
    GIVEN(OUT("d", d), IN("x", x), IN("w", w));
    stack_gradient(d, x, w);
    expect_within("d", d, ((double[]){5, -2}), 1e-5);
}
END_TEST

START_TEST(the_gradient_of_one_layer_is_right)
{
    expect_stack_gradient((Stack){1, 3, 1}, 0);
    expect_stack_gradient((Stack){2, 4, 1}, 1000);
    expect_stack_gradient((Stack){7, 5, 1}, 2000);
}
END_TEST

START_TEST(the_gradient_is_right_for_stacks_of_any_size)
{
    static const Stack tall[] = {{1, 1, 3},  {1, 3, 2},           {2, 4, 3}, {5, 7, 4}, {3, 16, MOST_LAYERS},
                                 {32, 6, 5}, {2, MAX_FEATURES, 3}};
    for (int s = 0; s < 7; s++) expect_stack_gradient(tall[s], 5000 + 1000 * (uint64_t)s);
}
END_TEST

// clang-format off
EXERCISE("09-resnet",
         {"9.1", 3, the_gain_of_a_bend_at_zero_is_root_2},
         {"9.1", 2, without_a_bend_nothing_needs_to_be_gained},
         {"9.1", 5, leaky_bends_need_a_little_less},
         {"9.2", 5, two_rows_computed_by_hand},
         {"9.2", 5, a_constant_row_becomes_zeros},
         {"9.2", 5, rows_of_any_length_are_normalised},
         {"9.2", 5, rows_with_a_variance_near_1e_5_tell_where_it_is_added},
         {"9.3", 5, the_derivative_of_three_numbers_computed_by_hand},
         {"9.3", 5, the_derivative_is_right_for_any_length},
         {"9.3", 5, the_derivative_is_right_where_the_variance_is_near_1e_5},
         {"9.3", 10, rows_far_from_zero_keep_three_digits},
         {"9.4", 5, a_stack_of_one_layer_computed_by_hand},
         {"9.4", 5, the_second_layer_takes_the_rows_below_and_what_the_first_gave},
         {"9.4", 10, stacks_of_any_size_carry_their_input_up},
         {"9.5", 5, a_silent_stack_hands_the_gradient_down_unchanged},
         {"9.5", 5, the_gradient_of_one_layer_is_right},
         {"9.5", 15, the_gradient_is_right_for_stacks_of_any_size})
