// hidden_01.c: random inputs for the exercises of chapter 1. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    Matrix x, w, y;       // (n × d), (d × 1), (n × 1)
    Matrix got, expected; // (d × 1), full of the same rubbish
} Round;

static Round draw(Rng *rng)
{
    int n = hidden_between(rng, 5, 40), d = hidden_between(rng, 2, 6);
    Round r = {.arena = arena_new()};
    r.x = hidden_matrix(rng, r.arena, n, d);
    r.w = hidden_matrix(rng, r.arena, d, 1);
    r.y = hidden_matrix(rng, r.arena, n, 1);
    r.got = hidden_matrix(rng, r.arena, d, 1);
    r.expected = matrix_copy(r.arena, r.got);
    return r;
}

START_TEST(the_loss_of_random_data)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        hidden_close(regression_loss(r.x, r.w, r.y), reference_regression_loss(r.x, r.w, r.y), 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_gradient_of_random_data)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        regression_gradient(r.got, r.x, r.w, r.y);
        reference_regression_gradient(r.expected, r.x, r.w, r.y);
        hidden_close_matrix(r.got, r.expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(steps_down_random_data)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        float rate = rng_between(&rng, 0.02f, 0.1f);
        int steps = hidden_between(&rng, 2, 9);
        regression_descend(r.got, r.x, r.y, rate, steps);
        reference_regression_descend(r.expected, r.x, r.y, rate, steps);
        hidden_close_matrix(r.got, r.expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_ridge_solution_of_random_data)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        float ridge = rng_between(&rng, 0.1f, 2.0f);
        regression_ridge(r.got, r.x, r.y, ridge);
        reference_regression_ridge(r.expected, r.x, r.y, ridge);
        hidden_close_matrix(r.got, r.expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"1.1", the_loss_of_random_data}, {"1.2", the_gradient_of_random_data},
       {"1.3", steps_down_random_data}, {"1.4", the_ridge_solution_of_random_data})
