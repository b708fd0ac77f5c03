// hidden_10.c: random inputs for the exercises of chapter 10. Ordinary sizes: the limits are tests/exercises'
// business.
#include "exercise.h"
#include "reference.h"
#include "tests/grader/hidden.h"

enum { ROUNDS = 3 };

// H·W pixels, C features, O output features; P places of the window.
typedef struct {
    Arena *arena;
    int width, window, stride, padding;
    Matrix x, w, b, d_y; // (H·W × C), (k·k·C × O), (1 × O), (P × O)
} Round;

// The number of places along a side
static int along(int side, const Round *r)
{
    return reference_output_side(side, r->window, r->stride, r->padding);
}

static Round draw(Rng *rng, int most_padding)
{
    Round r = {.arena = arena_new(),
               .width = hidden_between(rng, 4, 8),
               .window = hidden_between(rng, 2, 3),
               .stride = hidden_between(rng, 1, 2),
               .padding = hidden_between(rng, 0, most_padding)};
    int height = hidden_between(rng, 4, 8), channels = hidden_between(rng, 1, 3),
        outputs = hidden_between(rng, 2, 4);
    r.x = hidden_matrix(rng, r.arena, height * r.width, channels);
    r.w = hidden_matrix(rng, r.arena, r.window * r.window * channels, outputs);
    r.b = hidden_matrix(rng, r.arena, 1, outputs);
    r.d_y = hidden_matrix(rng, r.arena, along(height, &r) * along(r.width, &r), outputs);
    return r;
}

START_TEST(the_places_along_random_sides)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        int window = hidden_between(&rng, 1, 7), side = window + hidden_between(&rng, 0, 40);
        int stride = hidden_between(&rng, 1, 5), padding = hidden_between(&rng, 0, 4);
        ck_assert_int_eq(output_side(side, window, stride, padding),
                         reference_output_side(side, window, stride, padding));
    }
}
END_TEST

START_TEST(the_patches_of_random_pictures)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng, 2);
        Matrix got = hidden_matrix(&rng, r.arena, r.d_y.rows, r.w.rows), expected = matrix_copy(r.arena, got);
        patches(got, r.x, r.width, r.window, r.stride, r.padding);
        reference_patches(expected, r.x, r.width, r.window, r.stride, r.padding);
        hidden_close_matrix(got, expected, 1e-6f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(random_convolutions)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng, 2);
        Matrix got = hidden_matrix(&rng, r.arena, r.d_y.rows, r.w.cols), expected = matrix_copy(r.arena, got);
        convolve(got, r.x, r.w, r.b, r.width, r.window, r.stride, r.padding);
        reference_convolve(expected, r.x, r.w, r.b, r.width, r.window, r.stride, r.padding);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_gradients_of_random_convolutions)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng, 2);
        Matrix d_x = hidden_matrix(&rng, r.arena, r.x.rows, r.x.cols), true_d_x = matrix_copy(r.arena, d_x);
        Matrix d_w = hidden_matrix(&rng, r.arena, r.w.rows, r.w.cols), true_d_w = matrix_copy(r.arena, d_w);
        convolve_gradient(d_x, d_w, r.d_y, r.x, r.w, r.width, r.window, r.stride, r.padding);
        reference_convolve_gradient(true_d_x, true_d_w, r.d_y, r.x, r.w, r.width, r.window, r.stride,
                                    r.padding);
        hidden_close_matrix(d_x, true_d_x, 1e-4f);
        hidden_close_matrix(d_w, true_d_w, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

START_TEST(the_winners_of_random_pictures)
{
    for (int i = 0; i < ROUNDS; i++) {
        Rng rng = hidden_rng(i);
        Round r = draw(&rng, 0);
        Matrix d_y = hidden_matrix(&rng, r.arena, r.d_y.rows, r.x.cols);
        Matrix got = hidden_matrix(&rng, r.arena, r.x.rows, r.x.cols), expected = matrix_copy(r.arena, got);
        pool_gradient(got, d_y, r.x, r.width, r.window, r.stride);
        reference_pool_gradient(expected, d_y, r.x, r.width, r.window, r.stride);
        hidden_close_matrix(got, expected, 1e-4f);
        arena_free(r.arena);
    }
}
END_TEST

HIDDEN({"10.1", the_places_along_random_sides}, {"10.2", the_patches_of_random_pictures},
       {"10.3", random_convolutions}, {"10.4", the_gradients_of_random_convolutions},
       {"10.5", the_winners_of_random_pictures})
