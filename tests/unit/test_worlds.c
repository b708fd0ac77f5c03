// Worlds: motion against what mechanics says, and the networks that act in them.
#include "suite.h"

#include "base/mathf.h"
#include "models/actor_critic.h"
#include "models/checkpoint.h"
#include "models/worlds.h"

#include <math.h>

START_TEST(a_pole_falls_at_the_rate_of_its_linear_equations)
{
    // Near upright, and in the mean of two opposite pushes: θ'' = g θ / (l (4/3 − m/M)), so θ grows like
    // cosh(t √(g / (l (4/3 − m/M))))
    const double rate = sqrt(9.8 / (0.5 * (4.0 / 3.0 - 0.1 / 1.1)));
    float left[4] = {0, 0, 1e-3f, 0}, right[4] = {0, 0, 1e-3f, 0}, reward;
    for (int t = 0; t < 10; t++) {
        world_pole.step(left, 0, &reward);
        world_pole.step(right, 1, &reward);
    }
    const double angle = 0.5 * ((double)left[2] + (double)right[2]);
    ck_assert_double_eq_tol(angle, 1e-3 * cosh(rate * 0.2),
                            1e-3 * cosh(rate * 0.2) * 0.1); // Euler's steps of 0.02
    ck_assert_double_eq_tol((double)left[0], -(double)right[0], 1e-4);
}
END_TEST

START_TEST(a_push_to_the_right_moves_the_cart_right_and_the_pole_left)
{
    float state[4] = {0}, reward = 0.0f;
    ck_assert(!world_pole.step(state, 1, &reward));
    ck_assert_float_eq(reward, 1.0f);
    ck_assert_float_eq(state[0], 0.0f); // Euler: the place moves with the speed of before
    // a = (F/M) (1 + m l/(l (4/3 − m/M)) / M) and θ'' = −F/M / (l (4/3 − m/M)), by hand
    const double turn = -(10.0 / 1.1) / (0.5 * (4.0 / 3.0 - 0.1 / 1.1)),
                 pull = 10.0 / 1.1 - 0.1 * 0.5 * turn / 1.1;
    ck_assert_double_eq_tol((double)state[1], 0.02 * pull, 1e-6);
    ck_assert_double_eq_tol((double)state[3], 0.02 * turn, 1e-6);
}
END_TEST

START_TEST(a_pole_ends_beyond_twelve_degrees_or_the_track_and_when_it_is_no_number)
{
    const float widest = 12.0f * 3.14159265f / 180.0f;
    const struct {
        float state[4];
        bool ends;
    } cases[] = {
        {{2.39f, 0, 0, 0}, false},
        {{2.41f, 0, 0, 0}, true},
        {{-2.41f, 0, 0, 0}, true},
        {{0, 0, widest * 0.99f, 0}, false},
        {{0, 0, widest * 1.01f, 0}, true},
        {{0, 0, -widest * 1.01f, 0}, true},
        {{NAN, 0, 0, 0}, true},
        {{0, 0, NAN, 0}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float state[4], reward;
        for (int j = 0; j < 4; j++) state[j] = cases[i].state[j];
        ck_assert_msg(world_pole.step(state, 1, &reward) == cases[i].ends, "case %zu", i);
    }
}
END_TEST

START_TEST(a_pendulum_without_torque_keeps_its_energy_nearly)
{
    // E = ω²/6 + 5 cos θ: symplectic Euler lets it wander and come back
    float state[4] = {2.0f, 0.0f, 0, 0}, reward;
    const double before = 5.0 * cos(2.0);
    for (int t = 0; t < 200; t++) {
        ck_assert(!world_pendulum.step(state, 2, &reward));
        const double energy = (double)state[1] * (double)state[1] / 6.0 + 5.0 * cos((double)state[0]);
        ck_assert_double_eq_tol(energy, before, 0.9);
        ck_assert(fabsf(state[0]) <= 3.1415928f && fabsf(state[1]) <= 8.0f);
    }
}
END_TEST

START_TEST(no_torque_holds_a_pendulum_level_and_its_angle_costs)
{
    float state[4] = {1.5707963f, 0.0f, 0, 0}, reward;
    world_pendulum.step(state, 0, &reward); // −2 N m upwards
    ck_assert_double_eq_tol((double)reward, -(1.5707963 * 1.5707963 + 0.001 * 4.0), 1e-5);
    ck_assert_double_eq_tol((double)state[1], 0.05 * (15.0 - 6.0), 1e-5); // it falls all the same
    float seen[4];
    world_pendulum.observe(seen, (float[]){0.0f, 2.0f, 0, 0});
    ck_assert_float_eq(seen[0], 1.0f);
    ck_assert_float_eq(seen[1], 0.0f);
    ck_assert_float_eq(seen[2], 0.5f);
}
END_TEST

START_TEST(starts_lie_where_they_are_said_to)
{
    Rng rng = rng_new(1, 0);
    float state[4], widest = 0.0f, angle = 0.0f;
    for (int i = 0; i < 2000; i++) {
        world_pole.start(state, &rng);
        for (int j = 0; j < 4; j++) widest = fmaxf(widest, fabsf(state[j]));
        world_pendulum.start(state, &rng);
        angle = fmaxf(angle, fabsf(state[0]));
        ck_assert(fabsf(state[1]) <= 1.0f);
    }
    ck_assert(widest > 0.049f && widest <= 0.05f);
    ck_assert(angle > 3.1f && angle <= 3.1415928f);
}
END_TEST

START_TEST(a_policy_comes_back_from_its_file)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(2, 0);
    ActorCritic agent = actor_critic_new(arena, 3, 7, 5, &rng);
    const char *path = scratch_path("agent.safetensors");
    parameters_save(path, &agent.parameters, NULL, 0);
    ActorCritic again = actor_critic_open(arena, path, 3, 5);
    Matrix seen = matrix_new(arena, 4, 3);
    fill_normal(seen, &rng, 0, 1);
    Tape *tape = tape_new();
    Tensor *x = tape_input(tape, seen);
    ck_assert_float_eq(
        largest_difference(actor_critic_policy(&agent, x)->value, actor_critic_policy(&again, x)->value),
        0.0f);
    ck_assert_float_eq(
        largest_difference(actor_critic_value(&agent, x)->value, actor_critic_value(&again, x)->value), 0.0f);
    ck_assert_int_eq(actor_critic_policy(&again, x)->value.cols, 5);
    ck_assert_int_eq(actor_critic_value(&again, x)->value.cols, 1);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

SUITE("worlds", a_pole_falls_at_the_rate_of_its_linear_equations,
      a_push_to_the_right_moves_the_cart_right_and_the_pole_left,
      a_pole_ends_beyond_twelve_degrees_or_the_track_and_when_it_is_no_number,
      a_pendulum_without_torque_keeps_its_energy_nearly, no_torque_holds_a_pendulum_level_and_its_angle_costs,
      starts_lie_where_they_are_said_to, a_policy_comes_back_from_its_file)
