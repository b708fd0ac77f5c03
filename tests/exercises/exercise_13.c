// The exercises of chapter 13, An RNN is a linear system is a convolution: what each task is tested for, and its points.
// n states, T steps. What the answers are compared with is computed here, in double and in the
// plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    Matrix a, b, c; // (n × n), (n × 1), (1 × n)
} System;

// Random, and scaled so that states neither vanish nor run away.
static System random_system(Arena *arena, Rng *rng, int n)
{
    System s = {random_normal(arena, rng, n, n), random_normal(arena, rng, n, 1),
                random_normal(arena, rng, 1, n)};
    scale(s.a, 0.9f / sqrtf((float)n));
    return s;
}

static const int sizes[] = {1, 2, 3, 5, 8, MAX_STATES};
enum { SIZES = sizeof sizes / sizeof *sizes };

// ---- TASK 13.1: one step ----------------------------------------------------------------------------------

// x (n) becomes the next state.
static double true_step(double *x, System s, double d, double u)
{
    int n = s.a.rows;
    double next[MAX_STATES], y = d * u;
    for (int i = 0; i < n; i++) {
        y += (double)s.c.data[i] * x[i];
        next[i] = (double)s.b.data[i] * u;
        for (int j = 0; j < n; j++) next[i] += (double)AT(s.a, i, j) * x[j];
    }
    memcpy(x, next, sizeof *x * (size_t)n);
    return y;
}

static void expect_step(Arena *arena, System s, const float *state, float d, float u)
{
    int n = s.a.rows;
    Matrix x = matrix_from(arena, n, 1, state);
    double wide[MAX_STATES];
    for (int i = 0; i < n; i++) wide[i] = (double)state[i];
    double expected = true_step(wide, s, (double)d, (double)u);
    GIVEN(OUT("x", x), IN("a", s.a), IN("b", s.b), IN("c", s.c), NUMBER("d", (double)d),
          NUMBER("u", (double)u));
    float y = state_step(x, s.a, s.b, s.c, d, u);
    expect_number("y", y, expected, 1e-4);
    expect_within("x", x, wide, 1e-4);
    EXPECT_UNCHANGED();
}

START_TEST(a_step_computed_by_hand)
{
    // y = 5·1 + 6·2 + 10·0.5 = 22; x' = {1·1 + 2·2 + 7·0.5, 3·1 + 4·2 − 0.5} = {8.5, 10.5}
    float x_values[] = {1, 2}, a_values[] = {1, 2, 3, 4}, b_values[] = {7, -1}, c_values[] = {5, 6};
    Matrix x = matrix_view(2, 1, x_values), a = matrix_view(2, 2, a_values), b = matrix_view(2, 1, b_values),
           c = matrix_view(1, 2, c_values);
    GIVEN(OUT("x", x), IN("a", a), IN("b", b), IN("c", c), NUMBER("d", 10.0), NUMBER("u", 0.5));
    float y = state_step(x, a, b, c, 10.0f, 0.5f);
    expect_number("y", y, 22.0, 1e-5);
    expect_within("x", x, ((double[]){8.5, 10.5}), 1e-5);
}
END_TEST

START_TEST(the_output_sees_the_state_before_the_step)
{
    float a_values[] = {3}, b_values[] = {1}, c_values[] = {2}, state[] = {5};
    System s = {matrix_view(1, 1, a_values), matrix_view(1, 1, b_values), matrix_view(1, 1, c_values)};
    Arena *arena = arena_new();
    expect_step(arena, s, state, 0.0f, 1.0f);
    arena_free(arena);
}
END_TEST

START_TEST(a_force_is_felt_at_once_through_d)
{
    float a_values[] = {0.5f, 0, 0, 0.5f}, b_values[] = {0, 0}, c_values[] = {1, 1}, state[] = {0, 0};
    System s = {matrix_view(2, 2, a_values), matrix_view(2, 1, b_values), matrix_view(1, 2, c_values)};
    Arena *arena = arena_new();
    expect_step(arena, s, state, -3.0f, 2.0f);
    arena_free(arena);
}
END_TEST

START_TEST(steps_of_any_size_are_right)
{
    for (int k = 0; k < SIZES; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(131, (uint64_t)k);
        System s = random_system(arena, &rng, sizes[k]);
        float state[MAX_STATES];
        rng_normals(&rng, state, MAX_STATES);
        expect_step(arena, s, state, rng_normal(&rng), rng_normal(&rng));
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 13.2: two systems in a row ------------------------------------------------------------------------

static void expect_series(Arena *arena, System s_1, float d_1, System s_2, float d_2)
{
    int first = s_1.a.rows, second = s_2.a.rows, n = first + second;
    Matrix a = rubbish(arena, n, n), b = rubbish(arena, n, 1), c = rubbish(arena, 1, n),
           d = rubbish(arena, 1, 1);
    double *true_a = doubles(arena, matrix_size(a)), *true_b = doubles(arena, (size_t)n),
           *true_c = doubles(arena, (size_t)n), true_d = (double)d_1 * (double)d_2;
    for (int i = 0; i < n; i++) {
        bool below = i >= first;
        true_b[i] = below ? (double)s_2.b.data[i - first] * (double)d_1 : (double)s_1.b.data[i];
        true_c[i] = below ? (double)s_2.c.data[i - first] : (double)d_2 * (double)s_1.c.data[i];
        for (int j = 0; j < n; j++) {
            double *element = &true_a[i * n + j];
            *element = 0.0;
            if (!below && j < first) *element = (double)AT(s_1.a, i, j);
            if (below && j >= first) *element = (double)AT(s_2.a, i - first, j - first);
            if (below && j < first) *element = (double)s_2.b.data[i - first] * (double)s_1.c.data[j];
        }
    }
    GIVEN(OUT("a", a), OUT("b", b), OUT("c", c), OUT("d", d), IN("a_1", s_1.a), IN("b_1", s_1.b),
          IN("c_1", s_1.c), NUMBER("d_1", (double)d_1), IN("a_2", s_2.a), IN("b_2", s_2.b), IN("c_2", s_2.c),
          NUMBER("d_2", (double)d_2));
    in_series(a, b, c, d, s_1.a, s_1.b, s_1.c, d_1, s_2.a, s_2.b, s_2.c, d_2);
    expect_within("a", a, true_a, 1e-5);
    expect_within("b", b, true_b, 1e-5);
    expect_within("c", c, true_c, 1e-5);
    expect_within("d", d, &true_d, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(two_systems_of_one_state_by_hand)
{
    // x_1' = 2 x_1 + 3 u, y_1 = 5 x_1 + 7 u; x_2' = 11 x_2 + 13 y_1, y = 17 x_2 + 19 y_1
    float first[] = {2, 3, 5}, second[] = {11, 13, 17}, a_values[4] = {7}, b_values[2] = {7},
          c_values[2] = {7}, d_values[] = {7};
    Matrix a = matrix_view(2, 2, a_values), b = matrix_view(2, 1, b_values), c = matrix_view(1, 2, c_values),
           d = matrix_view(1, 1, d_values);
    Matrix a_1 = matrix_view(1, 1, first), b_1 = matrix_view(1, 1, first + 1),
           c_1 = matrix_view(1, 1, first + 2);
    Matrix a_2 = matrix_view(1, 1, second), b_2 = matrix_view(1, 1, second + 1),
           c_2 = matrix_view(1, 1, second + 2);
    GIVEN(OUT("a", a), OUT("b", b), OUT("c", c), OUT("d", d), IN("a_1", a_1), IN("b_1", b_1), IN("c_1", c_1),
          NUMBER("d_1", 7), IN("a_2", a_2), IN("b_2", b_2), IN("c_2", c_2), NUMBER("d_2", 19));
    in_series(a, b, c, d, a_1, b_1, c_1, 7.0f, a_2, b_2, c_2, 19.0f);
    expect_within("a", a, ((double[]){2, 0, 65, 11}), 1e-4);
    expect_within("b", b, ((double[]){3, 91}), 1e-4);
    expect_within("c", c, ((double[]){95, 17}), 1e-4);
    expect_within("d", d, ((double[]){133}), 1e-4);
}
END_TEST

START_TEST(systems_of_any_sizes_are_put_in_a_row)
{
    static const int firsts[] = {1, 3, 2, 5}, seconds[] = {2, 1, 2, 4};
    for (int k = 0; k < 4; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(132, (uint64_t)k);
        System s_1 = random_system(arena, &rng, firsts[k]);
        System s_2 = random_system(arena, &rng, seconds[k]);
        float d_1 = rng_normal(&rng), d_2 = rng_normal(&rng);
        expect_series(arena, s_1, d_1, s_2, d_2);
        arena_free(arena);
    }
}
END_TEST

START_TEST(without_d_the_second_hears_a_step_later)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(132, 9);
    System s_1 = random_system(arena, &rng, 2);
    System s_2 = random_system(arena, &rng, 3);
    expect_series(arena, s_1, 0.0f, s_2, 0.0f);
    arena_free(arena);
}
END_TEST

// ---- TASK 13.3: two maps as one ---------------------------------------------------------------------------

START_TEST(two_maps_computed_by_hand)
{
    // First x ↦ 2x + 3, then x ↦ 5x − 1: 10x + 14.
    float values[] = {2, 3, 5, -1}, a_value[] = {7}, b_value[] = {7};
    Matrix a = matrix_view(1, 1, a_value), b = matrix_view(1, 1, b_value);
    Matrix a_1 = matrix_view(1, 1, values), b_1 = matrix_view(1, 1, values + 1);
    Matrix a_2 = matrix_view(1, 1, values + 2), b_2 = matrix_view(1, 1, values + 3);
    GIVEN(OUT("a", a), OUT("b", b), IN("a_1", a_1), IN("b_1", b_1), IN("a_2", a_2), IN("b_2", b_2));
    compose(a, b, a_1, b_1, a_2, b_2);
    expect_within("a", a, ((double[]){10}), 1e-5);
    expect_within("b", b, ((double[]){14}), 1e-5);
}
END_TEST

START_TEST(the_order_of_two_matrices_matters)
{
    // The first map exchanges the two numbers, the second doubles the upper one.
    float exchange[] = {0, 1, 1, 0}, doubling[] = {2, 0, 0, 1}, zeros[] = {0, 0}, a_values[4] = {7},
          b_values[2] = {7};
    Matrix a = matrix_view(2, 2, a_values), b = matrix_view(2, 1, b_values), none = matrix_view(2, 1, zeros);
    Matrix a_1 = matrix_view(2, 2, exchange), a_2 = matrix_view(2, 2, doubling);
    GIVEN(OUT("a", a), OUT("b", b), IN("a_1", a_1), IN("b_1", none), IN("a_2", a_2), IN("b_2", none));
    compose(a, b, a_1, none, a_2, none);
    expect_within("a", a, ((double[]){0, 2, 1, 0}), 1e-6);
    expect_within("b", b, ((double[]){0, 0}), 1e-6);
}
END_TEST

START_TEST(maps_of_any_size_act_as_one_after_the_other)
{
    for (int k = 0; k < SIZES; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(133, (uint64_t)k);
        int n = sizes[k];
        Matrix a_1 = random_normal(arena, &rng, n, n), b_1 = random_normal(arena, &rng, n, 1);
        Matrix a_2 = random_normal(arena, &rng, n, n), b_2 = random_normal(arena, &rng, n, 1);
        Matrix a = rubbish(arena, n, n), b = rubbish(arena, n, 1);
        double *true_a = doubles(arena, matrix_size(a)), *true_b = doubles(arena, matrix_size(b));
        for (int i = 0; i < n; i++) {
            true_b[i] = (double)b_2.data[i];
            for (int j = 0; j < n; j++) {
                true_b[i] += (double)AT(a_2, i, j) * (double)b_1.data[j];
                true_a[i * n + j] = 0.0;
                for (int m = 0; m < n; m++)
                    true_a[i * n + j] += (double)AT(a_2, i, m) * (double)AT(a_1, m, j);
            }
        }
        GIVEN(OUT("a", a), OUT("b", b), IN("a_1", a_1), IN("b_1", b_1), IN("a_2", a_2), IN("b_2", b_2));
        compose(a, b, a_1, b_1, a_2, b_2);
        expect_close("a", a, true_a, 1e-4);
        expect_close("b", b, true_b, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 13.4: backpropagation through time --------------------------------------------------------------

static double true_loss(Matrix u, Matrix target, double a, double b)
{
    double x = 0.0, loss = 0.0;
    for (int t = 0; t < u.rows; t++) {
        double error = x - (double)target.data[t];
        loss += error * error / u.rows;
        x = a * x + b * (double)u.data[t];
    }
    return loss;
}

// By central differences of the loss, in double.
static void expect_gradient(Matrix u, Matrix target, float a, float b)
{
    const double h = 1e-5;
    double wide_a = (double)a, wide_b = (double)b;
    double expected[] = {
        (true_loss(u, target, wide_a + h, wide_b) - true_loss(u, target, wide_a - h, wide_b)) / (2.0 * h),
        (true_loss(u, target, wide_a, wide_b + h) - true_loss(u, target, wide_a, wide_b - h)) / (2.0 * h)};
    float values[] = {NAN, NAN};
    Matrix gradient = matrix_view(2, 1, values);
    GIVEN(OUT("gradient", gradient), IN("u", u), IN("target", target), NUMBER("a", wide_a),
          NUMBER("b", wide_b));
    gradient_through_time(gradient, u, target, a, b);
    for (int i = 0; i < 2; i++)
        expect_number(i == 0 ? "d_loss/d_a" : "d_loss/d_b", values[i], expected[i],
                      1e-3 * (0.01 + fabs(expected[i])));
    EXPECT_UNCHANGED();
}

START_TEST(three_steps_computed_by_hand)
{
    // x = 0, 2·1 = 2, 3·2 + 2·0 = 6; errors 0, 2, 6; loss (4 + 36)/3. dx_2/da = 2, dx_1/db = 1, dx_2/db = 3.
    float u_values[] = {1, 0, 5}, target_values[] = {0, 0, 0}, values[] = {7, 7};
    Matrix u = matrix_view(3, 1, u_values), target = matrix_view(3, 1, target_values),
           gradient = matrix_view(2, 1, values);
    GIVEN(OUT("gradient", gradient), IN("u", u), IN("target", target), NUMBER("a", 3.0), NUMBER("b", 2.0));
    gradient_through_time(gradient, u, target, 3.0f, 2.0f);
    expect_within("gradient", gradient, ((double[]){8.0, 2.0 / 3.0 * (2.0 + 18.0)}), 1e-3);
}
END_TEST

START_TEST(one_step_has_no_gradient)
{
    float u_values[] = {3}, target_values[] = {1};
    expect_gradient(matrix_view(1, 1, u_values), matrix_view(1, 1, target_values), 0.5f, 2.0f);
}
END_TEST

START_TEST(an_input_acts_on_all_later_outputs)
{
    float u_values[12] = {1}, target_values[12] = {0};
    target_values[11] = 1.0f;
    expect_gradient(matrix_view(12, 1, u_values), matrix_view(12, 1, target_values), 0.9f, 1.0f);
}
END_TEST

START_TEST(gradients_of_any_length_are_right)
{
    static const int lengths[] = {2, 3, 8, 40, 150};
    for (int k = 0; k < 5; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(134, (uint64_t)k);
        Matrix u = random_normal(arena, &rng, lengths[k], 1),
               target = random_normal(arena, &rng, lengths[k], 1);
        expect_gradient(u, target, rng_between(&rng, -0.95f, 0.95f), rng_between(&rng, 0.3f, 2.0f));
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 13.5: the spectral radius -----------------------------------------------------------------------

static void expect_radius(Matrix a, double expected)
{
    GIVEN(IN("a", a));
    expect_number("radius", radius(a), expected, 0.01 * expected + 1e-12);
    EXPECT_UNCHANGED();
}

START_TEST(the_radius_of_a_diagonal_is_its_largest_size)
{
    float values[] = {0.5f, 0, 0, 0, -2, 0, 0, 0, 1};
    expect_radius(matrix_view(3, 3, values), 2.0);
}
END_TEST

START_TEST(a_rotation_has_the_radius_of_its_stretching)
{
    float values[] = {0.6f, -0.8f, 0.8f, 0.6f}, stretched[] = {0, -9, 1, 0}; // ±3i
    expect_radius(matrix_view(2, 2, values), 1.0);
    expect_radius(matrix_view(2, 2, stretched), 3.0);
}
END_TEST

START_TEST(a_large_entry_off_the_diagonal_does_not_count)
{
    float values[] = {0.5f, 100, 0, 0.4f}, twice[] = {0.5f, 1, 0, 0.5f};
    expect_radius(matrix_view(2, 2, values), 0.5);
    expect_radius(matrix_view(2, 2, twice), 0.5);
}
END_TEST

START_TEST(powers_neither_overflow_nor_vanish)
{
    float large[] = {800, 600, -600, 800}, small[] = {0.0008f, 0.0006f, -0.0006f, 0.0008f};
    expect_radius(matrix_view(2, 2, large), 1000.0);
    expect_radius(matrix_view(2, 2, small), 0.001);
}
END_TEST

START_TEST(a_matrix_whose_square_is_zero_has_the_radius_0)
{
    float values[] = {0, 5, 0, 0};
    expect_radius(matrix_view(2, 2, values), 0.0);
}
END_TEST

// Orthogonal with known blocks: q · diagonal blocks · qᵀ, q a product of reflections.
START_TEST(hidden_blocks_of_any_size_are_found)
{
    for (int n = 3; n <= MAX_STATES; n += 3) {
        Arena *arena = arena_new();
        Rng rng = rng_new(135, (uint64_t)n);
        double m[MAX_STATES][MAX_STATES] = {{0}};
        m[0][0] = m[1][1] = 0.72, m[0][1] = -0.96, m[1][0] = 0.96; // size 1.2
        for (int i = 2; i < n; i++) m[i][i] = (double)rng_between(&rng, -1.0f, 1.0f);
        for (int k = 0; k < 3; k++) {
            double v[MAX_STATES], square = 0.0;
            for (int i = 0; i < n; i++) v[i] = (double)rng_normal(&rng), square += v[i] * v[i];
            for (int side = 0; side < 2; side++)
                for (int j = 0; j < n; j++) {
                    double inner = 0.0;
                    for (int i = 0; i < n; i++) inner += v[i] * (side ? m[j][i] : m[i][j]);
                    for (int i = 0; i < n; i++) *(side ? &m[j][i] : &m[i][j]) -= 2.0 * inner * v[i] / square;
                }
        }
        Matrix a = matrix_new(arena, n, n);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) AT(a, i, j) = (float)m[i][j];
        expect_radius(a, 1.2);
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("13-rnn-is-lti",
         {"13.1", 5, a_step_computed_by_hand},
         {"13.1", 5, the_output_sees_the_state_before_the_step},
         {"13.1", 5, a_force_is_felt_at_once_through_d},
         {"13.1", 5, steps_of_any_size_are_right},
         {"13.2", 5, two_systems_of_one_state_by_hand},
         {"13.2", 5, systems_of_any_sizes_are_put_in_a_row},
         {"13.2", 5, without_d_the_second_hears_a_step_later},
         {"13.3", 5, two_maps_computed_by_hand},
         {"13.3", 5, the_order_of_two_matrices_matters},
         {"13.3", 5, maps_of_any_size_act_as_one_after_the_other},
         {"13.4", 5, three_steps_computed_by_hand},
         {"13.4", 5, one_step_has_no_gradient},
         {"13.4", 5, an_input_acts_on_all_later_outputs},
         {"13.4", 10, gradients_of_any_length_are_right},
         {"13.5", 3, the_radius_of_a_diagonal_is_its_largest_size},
         {"13.5", 5, a_rotation_has_the_radius_of_its_stretching},
         {"13.5", 5, a_large_entry_off_the_diagonal_does_not_count},
         {"13.5", 5, powers_neither_overflow_nor_vanish},
         {"13.5", 2, a_matrix_whose_square_is_zero_has_the_radius_0},
         {"13.5", 5, hidden_blocks_of_any_size_are_found})
