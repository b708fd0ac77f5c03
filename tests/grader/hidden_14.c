// hidden_14.c: random inputs for the exercises of chapter 14. Ordinary sizes: the limits are tests/exercises' business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    Matrix z, c, d_h, d_c; // (B × 4H), three of (B × H)
} Round;

static Round draw(Rng *rng)
{
    int batch = hidden_between(rng, 1, 5), hidden = hidden_between(rng, 2, 9);
    Round r = {.arena = arena_new()};
    r.z = hidden_matrix(rng, r.arena, batch, 4 * hidden);
    r.c = hidden_matrix(rng, r.arena, batch, hidden);
    r.d_h = hidden_matrix(rng, r.arena, batch, hidden);
    r.d_c = hidden_matrix(rng, r.arena, batch, hidden);
    return r;
}

START_TEST(the_bias_for_random_steps)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        float steps = 2.0f + 60.0f * rng_uniform(&rng);
        hidden_close(forget_bias(steps), reference_forget_bias(steps), 1e-4f);
    }
}
END_TEST

START_TEST(random_steps_of_the_cell)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix h = matrix_copy(r.arena, r.d_h), expected_h = matrix_copy(r.arena, r.d_h);
        Matrix c = matrix_copy(r.arena, r.c), expected_c = matrix_copy(r.arena, r.c);
        cell_step(h, c, r.z);
        reference_cell_step(expected_h, expected_c, r.z);
        hidden_close_matrix(h, expected_h, 1e-4f);
        hidden_close_matrix(c, expected_c, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(gradients_of_random_steps)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        Matrix d_z = matrix_copy(r.arena, r.z), expected_z = matrix_copy(r.arena, r.z);
        Matrix d_c = matrix_copy(r.arena, r.d_c), expected_c = matrix_copy(r.arena, r.d_c);
        cell_step_gradient(d_z, d_c, r.d_h, r.c, r.z);
        reference_cell_step_gradient(expected_z, expected_c, r.d_h, r.c, r.z);
        hidden_close_matrix(d_z, expected_z, 1e-4f);
        hidden_close_matrix(d_c, expected_c, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_gradients_clipped)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        float limit = 0.5f + 10.0f * rng_uniform(&rng);
        Matrix g = matrix_copy(r.arena, r.z), expected = matrix_copy(r.arena, r.z);
        clip(g, limit);
        reference_clip(expected, limit);
        hidden_close_matrix(g, expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_counts_smoothed)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        int k = hidden_between(&rng, 3, 12);
        Matrix counts = matrix_new(arena, k, k), p = hidden_matrix(&rng, arena, k, k),
               expected = matrix_copy(arena, p);
        for (int row = 1; row < k; row++) // the first row stays empty
            for (int j = 0; j < k; j++) AT(counts, row, j) = (float)int_max(0, hidden_between(&rng, -6, 9));
        AT(counts, 1, 1) = 2.0f;
        witten_bell(p, counts);
        reference_witten_bell(expected, counts);
        hidden_close_matrix(p, expected, 1e-4f);
        arena_free(arena);
    }
}
END_TEST

HIDDEN({"14.1", the_bias_for_random_steps}, {"14.2", random_steps_of_the_cell},
       {"14.3", gradients_of_random_steps}, {"14.4", random_gradients_clipped},
       {"14.5", random_counts_smoothed})
