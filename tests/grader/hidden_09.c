// hidden_09.c: random inputs for the exercises of chapter 9. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    Matrix x, d, w;       // (N × C), (N × C), (L·C × C)
    Matrix got, expected; // (N × C), full of the same rubbish
} Round;

static Round draw(Rng *rng)
{
    int n = hidden_between(rng, 2, 7), c = hidden_between(rng, 3, 9), layers = hidden_between(rng, 2, 4);
    Round r = {.arena = arena_new()};
    r.x = hidden_matrix(rng, r.arena, n, c);
    r.d = hidden_matrix(rng, r.arena, n, c);
    r.w = hidden_matrix(rng, r.arena, layers * c, c);
    scale(r.w, 0.5f);
    r.got = hidden_matrix(rng, r.arena, n, c);
    r.expected = matrix_copy(r.arena, r.got);
    return r;
}

START_TEST(the_gain_for_random_slopes)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        float slope = rng_uniform(&rng);
        hidden_close(keeping_gain(slope), reference_keeping_gain(slope), 1e-5f);
    }
}
END_TEST

START_TEST(random_rows_normalised)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        normalise(r.got, r.x);
        reference_normalise(r.expected, r.x);
        hidden_close_matrix(r.got, r.expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_derivative_at_random_rows)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        normalise_gradient(r.got, r.d, r.x);
        reference_normalise_gradient(r.expected, r.d, r.x);
        hidden_close_matrix(r.got, r.expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_towers)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        tower_forward(r.got, r.w);
        reference_tower_forward(r.expected, r.w);
        hidden_close_matrix(r.got, r.expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_gradients_of_random_towers)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        tower_gradient(r.got, r.x, r.w);
        reference_tower_gradient(r.expected, r.x, r.w);
        hidden_close_matrix(r.got, r.expected, 2e-3f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"9.1", the_gain_for_random_slopes}, {"9.2", random_rows_normalised},
       {"9.3", the_derivative_at_random_rows}, {"9.4", random_towers},
       {"9.5", the_gradients_of_random_towers})
