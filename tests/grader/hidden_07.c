// hidden_07.c: random inputs for the exercises of chapter 7. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

START_TEST(quotients_of_random_numbers)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        Matrix got = hidden_matrix(&rng, arena, 1, 3), expected = matrix_copy(arena, got);
        float a = rng_between(&rng, -3.0f, 3.0f), b = rng_between(&rng, 0.5f, 2.0f) * (i % 2 ? -1.0f : 1.0f);
        tape_divide(got, a, b);
        reference_tape_divide(expected, a, b);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(arena);
    }
}
END_TEST

// A random tape: the first lines are made from none, the later ones from one or two earlier lines.
static Matrix draw_tape(Rng *rng, Arena *arena)
{
    int n = hidden_between(rng, 6, 15), inputs = hidden_between(rng, 1, 3);
    Matrix tape = hidden_matrix(rng, arena, n, 4);
    for (int i = 0; i < n; i++) {
        AT(tape, i, 0) = i < inputs ? -1.0f : (float)hidden_between(rng, 0, i - 1);
        AT(tape, i, 1) = i < inputs || i % 3 == 0 ? -1.0f : (float)hidden_between(rng, 0, i - 1);
    }
    return tape;
}

START_TEST(random_tapes_played_backwards)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        Matrix tape = draw_tape(&rng, arena);
        Matrix got = hidden_matrix(&rng, arena, tape.rows, 1), expected = matrix_copy(arena, got);
        tape_play_backwards(got, tape);
        reference_tape_play_backwards(expected, tape);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(what_random_products_give_back)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        int m = hidden_between(&rng, 2, 7), k = hidden_between(&rng, 2, 7), n = hidden_between(&rng, 2, 7);
        Matrix a = hidden_matrix(&rng, arena, m, k), b = hidden_matrix(&rng, arena, k, n);
        Matrix d_y = hidden_matrix(&rng, arena, m, n);
        Matrix got_a = hidden_matrix(&rng, arena, m, k), got_b = hidden_matrix(&rng, arena, k, n);
        Matrix expected_a = matrix_copy(arena, got_a), expected_b = matrix_copy(arena, got_b);
        product_gives_back(got_a, got_b, d_y, a, b);
        reference_product_gives_back(expected_a, expected_b, d_y, a, b);
        hidden_close_matrix(got_a, expected_a, 1e-4f);
        hidden_close_matrix(got_b, expected_b, 1e-4f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(what_random_softmaxes_give_back)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        int n = hidden_between(&rng, 2, 7), k = hidden_between(&rng, 2, 7);
        Matrix y = matrix_new(arena, n, k), d_y = hidden_matrix(&rng, arena, n, k);
        fill_uniform(y, &rng, 0.1f, 1.0f);
        for (int r = 0; r < n; r++) { // each row's sum is 1, as softmax makes it
            float total = 0.0f;
            for (int j = 0; j < k; j++) total += AT(y, r, j);
            for (int j = 0; j < k; j++) AT(y, r, j) /= total;
        }
        Matrix got = hidden_matrix(&rng, arena, n, k), expected = matrix_copy(arena, got);
        softmax_gives_back(got, d_y, y);
        reference_softmax_gives_back(expected, d_y, y);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(arena);
    }
}
END_TEST

START_TEST(random_chains)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Arena *arena = arena_new();
        int d = hidden_between(&rng, 2, 6), h = hidden_between(&rng, 4, 9), k = hidden_between(&rng, 4, 9);
        Matrix x = hidden_matrix(&rng, arena, 1, d), w1 = hidden_matrix(&rng, arena, d, h);
        Matrix w2 = hidden_matrix(&rng, arena, h, k);
        Matrix got = hidden_matrix(&rng, arena, 1, d), expected = matrix_copy(arena, got);
        float value = chain_gradient(got, x, w1, w2);
        hidden_close(value, reference_chain_gradient(expected, x, w1, w2), 1e-4f);
        hidden_close_matrix(got, expected, 1e-3f);
        arena_free(arena);
    }
}
END_TEST

HIDDEN({"7.1", quotients_of_random_numbers}, {"7.2", random_tapes_played_backwards},
       {"7.3", what_random_products_give_back}, {"7.4", what_random_softmaxes_give_back},
       {"7.5", random_chains})
