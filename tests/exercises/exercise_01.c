// The exercises of chapter 1, linear regression: what each task is tested for, and its points.
// n examples, d features. What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    Matrix x, w, y;
} Problem;

// n examples with features of mean 0.3, and targets near a plane through them.
static Problem problem_of(Arena *arena, uint64_t seed, int n, int d)
{
    Rng rng = rng_new(seed, 0);
    Problem p = {matrix_new(arena, n, d), matrix_new(arena, d, 1), matrix_new(arena, n, 1)};
    fill_normal(p.x, &rng, 0.3f, 1.0f);
    fill_normal(p.w, &rng, 0.0f, 1.0f);
    fill_normal(p.y, &rng, 0.5f, 0.7f);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++) p.y.data[i] += AT(p.x, i, j) * (float)(j + 1);
    return p;
}

static double error_of(Problem p, const double *w, int i)
{
    double prediction = 0.0;
    for (int j = 0; j < p.x.cols; j++) prediction += (double)AT(p.x, i, j) * w[j];
    return prediction - (double)p.y.data[i];
}

static double true_loss(Problem p, const double *w)
{
    double total = 0.0;
    for (int i = 0; i < p.x.rows; i++) total += error_of(p, w, i) * error_of(p, w, i);
    return total / (2.0 * p.x.rows);
}

static void true_gradient(double *gradient, Problem p, const double *w)
{
    for (int j = 0; j < p.x.cols; j++) {
        gradient[j] = 0.0;
        for (int i = 0; i < p.x.rows; i++)
            gradient[j] += (double)AT(p.x, i, j) * error_of(p, w, i) / p.x.rows;
    }
}

static void widen(double *wide, Matrix m)
{
    for (size_t i = 0; i < matrix_size(m); i++) wide[i] = (double)m.data[i];
}

// Sizes that a loop with a wrong bound does not survive; the small ones first, because a message shows them whole.
static const int sizes[][2] = {{1, 1}, {1, 5}, {7, 1}, {3, 5}, {40, 3}, {97, 10}, {61, MAX_FEATURES}};
enum { SIZES = sizeof sizes / sizeof *sizes };

// ---- TASK 1.1: the loss -----------------------------------------------------------------------------------

// Predictions −1 and −1 for 0 and 1: errors −1 and −2, so (1 + 4) / (2 · 2).
static float small_x[] = {1, 2, 3, 4}, small_w[] = {1, -1}, small_y[] = {0, 1};

static Problem small_problem(void)
{
    return (Problem){matrix_view(2, 2, small_x), matrix_view(2, 1, small_w), matrix_view(2, 1, small_y)};
}

START_TEST(the_loss_of_two_examples_computed_by_hand)
{
    Problem p = small_problem();
    GIVEN(IN("x", p.x), IN("w", p.w), IN("y", p.y));
    expect_number("loss", regression_loss(p.x, p.w, p.y), 1.25, 1e-6);
}
END_TEST

START_TEST(a_perfect_fit_has_no_loss)
{
    float x_values[] = {1, 0, 2, 5, -1, 3}, w_values[] = {2, 3}, y_values[] = {2, 19, 7};
    Matrix x = matrix_view(3, 2, x_values), w = matrix_view(2, 1, w_values), y = matrix_view(3, 1, y_values);
    GIVEN(IN("x", x), IN("w", w), IN("y", y));
    expect_number("loss", regression_loss(x, w, y), 0.0, 0.0);
}
END_TEST

START_TEST(the_loss_is_right_for_any_size_and_changes_nothing)
{
    for (int s = 0; s < SIZES; s++) {
        Arena *arena = arena_new();
        Problem p = problem_of(arena, (uint64_t)s, sizes[s][0], sizes[s][1]);
        double wide[MAX_FEATURES];
        widen(wide, p.w);
        double expected = true_loss(p, wide);
        GIVEN(IN("x", p.x), IN("w", p.w), IN("y", p.y));
        float got = regression_loss(p.x, p.w, p.y);
        expect_number("loss", got, expected, 1e-4 * expected);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 1.2: its gradient -------------------------------------------------------------------------------

START_TEST(the_gradient_of_two_examples_computed_by_hand)
{
    Problem p = small_problem();
    float values[] = {7, 7}; // to be overwritten
    Matrix gradient = matrix_view(2, 1, values);
    GIVEN(IN("x", p.x), IN("w", p.w), IN("y", p.y), OUT("gradient", gradient));
    regression_gradient(gradient, p.x, p.w, p.y);
    expect_within("gradient", gradient, ((double[]){-3.5, -5.0}), 1e-5);
}
END_TEST

START_TEST(the_gradient_is_right_for_any_size_and_overwrites_what_was_there)
{
    for (int s = 0; s < SIZES; s++) {
        Arena *arena = arena_new();
        Problem p = problem_of(arena, 10 + (uint64_t)s, sizes[s][0], sizes[s][1]);
        Matrix gradient = rubbish(arena, p.x.cols, 1);
        double wide[MAX_FEATURES], expected[MAX_FEATURES];
        widen(wide, p.w);
        true_gradient(expected, p, wide);
        GIVEN(IN("x", p.x), IN("w", p.w), IN("y", p.y), OUT("gradient", gradient));
        regression_gradient(gradient, p.x, p.w, p.y);
        expect_close("gradient", gradient, expected, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 1.3: gradient descent ---------------------------------------------------------------------------

START_TEST(one_step_goes_down_the_gradient)
{
    Problem p = small_problem(); // the gradient there is (−3.5, −5)
    float start[] = {1, -1};
    Matrix w = matrix_view(2, 1, start);
    GIVEN(OUT("w", w), IN("x", p.x), IN("y", p.y), NUMBER("rate", 0.1), NUMBER("steps", 1));
    regression_descend(w, p.x, p.y, 0.1f, 1);
    expect_within("w", w, ((double[]){1.35, -0.5}), 1e-5);
}
END_TEST

START_TEST(no_step_changes_nothing)
{
    Problem p = small_problem();
    float start[] = {1, -1};
    Matrix w = matrix_view(2, 1, start);
    GIVEN(OUT("w", w), IN("x", p.x), IN("y", p.y), NUMBER("rate", 0.1), NUMBER("steps", 0));
    regression_descend(w, p.x, p.y, 0.1f, 0);
    expect_within("w", w, ((double[]){1.0, -1.0}), 0.0);
}
END_TEST

START_TEST(many_steps_follow_the_same_path)
{
    for (int s = 0; s < SIZES; s++) {
        Arena *arena = arena_new();
        Problem p = problem_of(arena, 20 + (uint64_t)s, sizes[s][0], sizes[s][1]);
        float rate = 0.2f / (float)p.x.cols;
        double path[MAX_FEATURES], slope[MAX_FEATURES];
        widen(path, p.w);
        for (int step = 0; step < 50; step++) {
            true_gradient(slope, p, path);
            for (int j = 0; j < p.x.cols; j++) path[j] -= (double)rate * slope[j];
        }
        GIVEN(OUT("w", p.w), IN("x", p.x), IN("y", p.y), NUMBER("rate", (double)rate), NUMBER("steps", 50));
        regression_descend(p.w, p.x, p.y, rate, 50);
        expect_close("w", p.w, path, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 1.4: the ridge solution -------------------------------------------------------------------------

// The equations (xᵀx / n + ridge · I) w = xᵀy / n, by Gauss and Jordan in double.
static void true_ridge(double *w, Problem p, double ridge)
{
    int d = p.x.cols;
    double a[MAX_FEATURES][MAX_FEATURES + 1];
    for (int j = 0; j < d; j++)
        for (int k = 0; k <= d; k++) {
            a[j][k] = j == k ? ridge : 0.0;
            for (int i = 0; i < p.x.rows; i++)
                a[j][k] += (double)AT(p.x, i, j) * (double)(k < d ? AT(p.x, i, k) : p.y.data[i]) / p.x.rows;
        }
    for (int pivot = 0; pivot < d; pivot++)
        for (int j = 0; j < d; j++) {
            double factor = j == pivot ? 0.0 : a[j][pivot] / a[pivot][pivot];
            for (int k = pivot; k <= d; k++) a[j][k] -= factor * a[pivot][k];
        }
    for (int j = 0; j < d; j++) w[j] = a[j][d] / a[j][j];
}

// w is full of rubbish before the call.
static void expect_ridge(Problem p, float ridge)
{
    double expected[MAX_FEATURES];
    true_ridge(expected, p, (double)ridge);
    fill(p.w, NAN);
    GIVEN(IN("x", p.x), IN("y", p.y), NUMBER("ridge", (double)ridge), OUT("w", p.w));
    regression_ridge(p.w, p.x, p.y, ridge);
    expect_close("w", p.w, expected, 1e-3);
    EXPECT_UNCHANGED();
}

START_TEST(the_ridge_solution_of_one_feature_computed_by_hand)
{
    float x_values[] = {1, 2, 3}, y_values[] = {2, 4, 6}, value = 7; // Σx²/3 = 14/3, Σxy/3 = 28/3
    Matrix w = matrix_view(1, 1, &value), x = matrix_view(3, 1, x_values), y = matrix_view(3, 1, y_values);
    GIVEN(IN("x", x), IN("y", y), NUMBER("ridge", 1), OUT("w", w));
    regression_ridge(w, x, y, 1.0f);
    expect_within("w", w, ((double[]){28.0 / 17.0}), 1e-5);
}
END_TEST

START_TEST(the_ridge_solution_is_right_for_any_size_and_strength)
{
    static const float strengths[] = {0.01f, 0.1f, 10.0f};
    for (int s = 0; s < SIZES; s++) {
        Arena *arena = arena_new();
        Problem p = problem_of(arena, 30 + (uint64_t)s, sizes[s][0], sizes[s][1]);
        for (int r = 0; r < 3; r++) expect_ridge(p, strengths[r]);
        arena_free(arena);
    }
}
END_TEST

START_TEST(other_units_need_another_rate)
{
    Arena *arena = arena_new();
    Problem p = problem_of(arena, 40, 40, 5);
    for (int i = 0; i < p.x.rows; i++)
        for (int j = 0; j < p.x.cols; j += 2) AT(p.x, i, j) *= 10.0f;
    expect_ridge(p, 0.1f);
    scale(p.x, 0.1f); // now the others are small
    expect_ridge(p, 0.1f);
    arena_free(arena);
}
END_TEST

// clang-format off
EXERCISE("01-linear-regression",
         {"1.1", 5, the_loss_of_two_examples_computed_by_hand},
         {"1.1", 5, a_perfect_fit_has_no_loss},
         {"1.1", 10, the_loss_is_right_for_any_size_and_changes_nothing},
         {"1.2", 10, the_gradient_of_two_examples_computed_by_hand},
         {"1.2", 20, the_gradient_is_right_for_any_size_and_overwrites_what_was_there},
         {"1.3", 5, one_step_goes_down_the_gradient},
         {"1.3", 5, no_step_changes_nothing},
         {"1.3", 10, many_steps_follow_the_same_path},
         {"1.4", 10, the_ridge_solution_of_one_feature_computed_by_hand},
         {"1.4", 10, the_ridge_solution_is_right_for_any_size_and_strength},
         {"1.4", 10, other_units_need_another_rate})
