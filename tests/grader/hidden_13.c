// hidden_13.c: random inputs for the exercises of chapter 13. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    int n;
    Matrix a, b, c; // (n × n), (n × 1), (1 × n)
    float d;
} Round;

static Round draw(Rng *rng)
{
    Round r = {.arena = arena_new(), .n = hidden_between(rng, 2, 6)};
    r.a = hidden_matrix(rng, r.arena, r.n, r.n);
    scale(r.a, 0.4f);
    r.b = hidden_matrix(rng, r.arena, r.n, 1);
    r.c = hidden_matrix(rng, r.arena, 1, r.n);
    r.d = rng_normal(rng);
    return r;
}

START_TEST(steps_of_random_systems)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix got = hidden_matrix(&rng, r.arena, r.n, 1), expected = matrix_copy(r.arena, got);
        float u = rng_normal(&rng);
        float y = state_step(got, r.a, r.b, r.c, r.d, u);
        hidden_close(y, reference_state_step(expected, r.a, r.b, r.c, r.d, u), 1e-3f);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(kernels_of_random_systems)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        int taps = hidden_between(&rng, 3, 20);
        Matrix got = hidden_matrix(&rng, r.arena, taps, 1), expected = matrix_copy(r.arena, got);
        impulse_response(got, r.a, r.b, r.c, r.d);
        reference_impulse_response(expected, r.a, r.b, r.c, r.d);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_maps_composed)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix a_2 = hidden_matrix(&rng, r.arena, r.n, r.n), b_2 = hidden_matrix(&rng, r.arena, r.n, 1);
        Matrix got_a = hidden_matrix(&rng, r.arena, r.n, r.n), got_b = hidden_matrix(&rng, r.arena, r.n, 1);
        Matrix expected_a = matrix_copy(r.arena, got_a), expected_b = matrix_copy(r.arena, got_b);
        compose(got_a, got_b, r.a, r.b, a_2, b_2);
        reference_compose(expected_a, expected_b, r.a, r.b, a_2, b_2);
        hidden_close_matrix(got_a, expected_a, 1e-3f);
        hidden_close_matrix(got_b, expected_b, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(gradients_through_random_times)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        int steps = hidden_between(&rng, 3, 30);
        Matrix u = hidden_matrix(&rng, arena, steps, 1), target = hidden_matrix(&rng, arena, steps, 1);
        Matrix got = hidden_matrix(&rng, arena, 2, 1), expected = matrix_copy(arena, got);
        float a = rng_between(&rng, -0.9f, 0.9f), b = rng_between(&rng, 0.5f, 2.0f);
        gradient_through_time(got, u, target, a, b);
        reference_gradient_through_time(expected, u, target, a, b);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(the_radius_of_random_matrices)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        hidden_close(radius(r.a), reference_radius(r.a), 0.02f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"13.1", steps_of_random_systems}, {"13.2", kernels_of_random_systems}, {"13.3", random_maps_composed},
       {"13.4", gradients_through_random_times}, {"13.5", the_radius_of_random_matrices})
