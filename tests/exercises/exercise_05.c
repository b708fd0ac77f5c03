// The exercises of chapter 5, descent and randomness: what each task is tested for, and its points. What the answers are
// compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

enum { MOST = 33 };

// ---- TASK 5.1: Adagrad ----------------------------------------------------------------------------------------

START_TEST(two_coordinates_computed_by_hand)
{
    float places[] = {1, 2}, held[] = {9, 0}, slopes[] = {4, -2};
    Matrix x = matrix_view(1, 2, places), sums = matrix_view(1, 2, held),
           gradient = matrix_view(1, 2, slopes);
    GIVEN(OUT("x", x), OUT("sums", sums), IN("gradient", gradient), NUMBER("rate", 0.5));
    adagrad_step(x, sums, gradient, 0.5f);
    expect_within("sums", sums, ((double[]){25, 4}), 1e-5);
    expect_within("x", x, ((double[]){1 - 0.5 * 4 / 5, 2 + 0.5}), 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(a_coordinate_without_any_gradient_stays)
{
    float places[] = {1, 2, 3}, held[] = {0, 1, 0}, slopes[] = {0, 0, 1};
    Matrix x = matrix_view(1, 3, places), sums = matrix_view(1, 3, held),
           gradient = matrix_view(1, 3, slopes);
    GIVEN(OUT("x", x), OUT("sums", sums), IN("gradient", gradient), NUMBER("rate", 0.25));
    adagrad_step(x, sums, gradient, 0.25f);
    expect_within("x", x, ((double[]){1, 2, 2.75}), 1e-6);
}
END_TEST

START_TEST(many_steps_of_any_size_follow_the_same_path)
{
    const int sizes[] = {1, 5, MOST};
    for (int s = 0; s < 3; s++) {
        Arena *arena = arena_new();
        const int n = sizes[s];
        Rng rng = rng_new((uint64_t)s, 5);
        Matrix x = matrix_new(arena, 1, n), sums = matrix_new(arena, 1, n),
               gradient = matrix_new(arena, 1, n);
        double expected[MOST], squares[MOST] = {0};
        fill_normal(x, &rng, 0.0f, 1.0f);
        for (int i = 0; i < n; i++) expected[i] = (double)x.data[i];
        for (int t = 0; t < 7; t++) {
            fill_normal(gradient, &rng, 0.3f, 1.0f);
            for (int i = 0; i < n; i++) {
                const double g = (double)gradient.data[i];
                squares[i] += g * g;
                expected[i] -= 0.1 * g / sqrt(squares[i]);
            }
            GIVEN(OUT("x", x), OUT("sums", sums), IN("gradient", gradient), NUMBER("rate", 0.1));
            adagrad_step(x, sums, gradient, 0.1f);
        }
        expect_close("x", x, expected, 1e-4);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 5.2: steps for a digit ------------------------------------------------------------------------------

static void expect_steps(float rate, float least, float most, double factor)
{
    GIVEN(NUMBER("rate", (double)rate), NUMBER("least", (double)least), NUMBER("most", (double)most));
    const double expected = log(10) / -log(factor);
    expect_number("steps", steps_for_a_digit(rate, least, most), expected, 1e-3 * expected);
}

START_TEST(the_slowest_axis_counts)
{
    expect_steps(0.1f, 1, 1, 0.9);
    expect_steps(0.1f, 1, 10, 0.9);  // the flat one
    expect_steps(0.19f, 1, 10, 0.9); // the steep one, on the other side each time
    expect_steps(0.125f, 2, 8, 0.75);
}
END_TEST

START_TEST(one_step_may_be_enough)
{
    GIVEN(NUMBER("rate", 0.25), NUMBER("least", 4.0), NUMBER("most", 4.0));
    expect_number("steps", steps_for_a_digit(0.25f, 4, 4), 0.0, 0.0);
}
END_TEST

START_TEST(who_does_not_come_nearer_needs_for_ever)
{
    const float most[] = {8, 100};
    for (int i = 0; i < 2; i++) {
        GIVEN(NUMBER("rate", 0.25), NUMBER("least", 1.0), NUMBER("most", (double)most[i]));
        const float steps = steps_for_a_digit(0.25f, 1, most[i]);
        ck_assert_msg(isinf(steps) && steps > 0, "steps: got %g, expected INFINITY; with %s", (double)steps,
                      given.text);
    }
}
END_TEST

// ---- TASK 5.3: a gradient from heights ------------------------------------------------------------------------

START_TEST(one_pair_computed_by_hand)
{
    float up[] = {5}, down[] = {1}, direction[] = {2, -1}, values[] = {7, 7};
    Matrix gradient = matrix_view(1, 2, values), above = matrix_view(1, 1, up),
           below = matrix_view(1, 1, down), noise = matrix_view(1, 2, direction);
    GIVEN(OUT("gradient", gradient), IN("above", above), IN("below", below), IN("noise", noise),
          NUMBER("sigma", 0.5));
    gradient_from_heights(gradient, above, below, noise, 0.5f);
    expect_within("gradient", gradient, ((double[]){8, -4}), 1e-5);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(many_pairs_are_averaged)
{
    const int sizes[][2] = {{2, 1}, {5, 3}, {64, MOST}};
    for (int s = 0; s < 3; s++) {
        Arena *arena = arena_new();
        const int k = sizes[s][0], n = sizes[s][1];
        Rng rng = rng_new((uint64_t)s, 7);
        Matrix above = matrix_new(arena, k, 1), below = matrix_new(arena, k, 1),
               noise = matrix_new(arena, k, n), gradient = matrix_new(arena, 1, n);
        double expected[MOST] = {0};
        fill_normal(above, &rng, 3.0f, 1.0f);
        fill_normal(below, &rng, 3.0f, 1.0f);
        fill_normal(noise, &rng, 0.0f, 1.0f);
        fill(gradient, 9.0f);
        for (int j = 0; j < k; j++)
            for (int i = 0; i < n; i++)
                expected[i] +=
                    ((double)above.data[j] - (double)below.data[j]) / 0.5 * (double)AT(noise, j, i) / k;
        GIVEN(OUT("gradient", gradient), IN("above", above), IN("below", below), IN("noise", noise),
              NUMBER("sigma", 0.25));
        gradient_from_heights(gradient, above, below, noise, 0.25f);
        expect_close("gradient", gradient, expected, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 5.4: an exchange ------------------------------------------------------------------------------------

static void expect_exchange(float f1, float t1, float f2, float t2, double expected)
{
    GIVEN(NUMBER("f1", (double)f1), NUMBER("t1", (double)t1), NUMBER("f2", (double)f2),
          NUMBER("t2", (double)t2));
    expect_number("probability", exchange_probability(f1, t1, f2, t2), expected, 1e-5);
}

START_TEST(the_colder_one_always_gets_the_lower_place)
{
    expect_exchange(5, 1, 2, 4, 1);
    expect_exchange(2, 4, 5, 1, 1);
    expect_exchange(1e6f, 1e-3f, 0, 1, 1); // d = 10⁹
    expect_exchange(3, 1, 3, 2, 1);
}
END_TEST

START_TEST(the_other_way_it_has_a_probability)
{
    expect_exchange(2, 1, 5, 4, exp(-2.25));
    expect_exchange(5, 4, 2, 1, exp(-2.25));
    expect_exchange(0, 0.5f, 0.5f, 1, exp(-0.5));
    expect_exchange(0, 1e-3f, 1e6f, 1, 0);
}
END_TEST

// clang-format off
EXERCISE("05-descent-and-randomness",
         {"5.1", 5, two_coordinates_computed_by_hand},
         {"5.1", 10, a_coordinate_without_any_gradient_stays},
         {"5.1", 10, many_steps_of_any_size_follow_the_same_path},
         {"5.2", 10, the_slowest_axis_counts},
         {"5.2", 5, one_step_may_be_enough},
         {"5.2", 10, who_does_not_come_nearer_needs_for_ever},
         {"5.3", 10, one_pair_computed_by_hand},
         {"5.3", 15, many_pairs_are_averaged},
         {"5.4", 10, the_colder_one_always_gets_the_lower_place},
         {"5.4", 15, the_other_way_it_has_a_probability})
