// hidden_11.c: random inputs for the exercises of chapter 11. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

typedef struct {
    Arena *arena;
    Matrix x, d_y, gain, bias;          // (N × C), (N × C), (1 × C), (1 × C)
    Matrix got, expected;               // (N × C), full of the same rubbish
    Matrix got_row[2], expected_row[2]; // (1 × C), likewise
} Round;

static Round draw(Rng *rng)
{
    int n = hidden_between(rng, 3, 12), c = hidden_between(rng, 2, 5);
    Round r = {.arena = arena_new()};
    r.x = hidden_matrix(rng, r.arena, n, c), r.d_y = hidden_matrix(rng, r.arena, n, c);
    r.gain = hidden_matrix(rng, r.arena, 1, c), r.bias = hidden_matrix(rng, r.arena, 1, c);
    r.got = hidden_matrix(rng, r.arena, n, c), r.expected = matrix_copy(r.arena, r.got);
    for (int k = 0; k < 2; k++) {
        r.got_row[k] = hidden_matrix(rng, r.arena, 1, c);
        r.expected_row[k] = matrix_copy(r.arena, r.got_row[k]);
    }
    return r;
}

START_TEST(random_columns_normalised)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        normalise_channels(r.got, r.x, r.gain, r.bias);
        reference_normalise_channels(r.expected, r.x, r.gain, r.bias);
        hidden_close_matrix(r.got, r.expected, 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_derivative_at_random_columns)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        normalise_channels_gradient(r.got, r.got_row[0], r.got_row[1], r.d_y, r.x, r.gain);
        reference_normalise_channels_gradient(r.expected, r.expected_row[0], r.expected_row[1], r.d_y, r.x,
                                              r.gain);
        hidden_close_matrix(r.got, r.expected, 1e-3f);
        for (int k = 0; k < 2; k++) hidden_close_matrix(r.got_row[k], r.expected_row[k], 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_batches_followed)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        float momentum = rng_uniform(&rng);
        follow_batch(r.got_row[0], r.got_row[1], r.x, momentum);
        reference_follow_batch(r.expected_row[0], r.expected_row[1], r.x, momentum);
        for (int k = 0; k < 2; k++) hidden_close_matrix(r.got_row[k], r.expected_row[k], 1e-3f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_numbers_dropped)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        float p = 0.9f * rng_uniform(&rng);
        fill_uniform(r.d_y, &rng, 0.0f, 1.0f);
        drop(r.got, r.d_y, p);
        reference_drop(r.expected, r.d_y, p);
        hidden_close_matrix(r.got, r.expected, 1e-5f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_pictures_moved)
{
    for (int i = 0; i < 2 * ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng);
        int dy = hidden_between(&rng, -2, 2), dx = hidden_between(&rng, -2, 2);
        move_picture(r.got, r.x, dy, dx, i % 2, 0.25f);
        reference_move_picture(r.expected, r.x, dy, dx, i % 2, 0.25f);
        hidden_close_matrix(r.got, r.expected, 0.0f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"11.1", random_columns_normalised}, {"11.2", the_derivative_at_random_columns},
       {"11.3", random_batches_followed}, {"11.4", random_numbers_dropped}, {"11.5", random_pictures_moved})
