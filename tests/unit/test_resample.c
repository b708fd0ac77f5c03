// Layers that change the number of pixels, and group normalisation: gradients, inverses, and what stays the same.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/conv.h"
#include "learning/ops/group_norm.h"
#include "learning/ops/linear.h"
#include "learning/ops/resample.h"

#include <math.h>

enum { UPSAMPLE, SHUFFLE, UNSHUFFLE, TRANSPOSED, GROUP_NORM, GRAM, KINDS };
typedef struct {
    Tensor *in[3];
    int which, count;
    Grid grid;
    Window window;
} Case;

static Tensor *build(Tape *tape, void *context)
{
    const Case *c = context;
    Tensor *x = tape_parameter(tape, c->in[0]);
    switch (c->which) {
    case UPSAMPLE:
        return upsample(x, c->grid, 3);
    case SHUFFLE:
        return pixel_shuffle(x, c->grid, 2);
    case UNSHUFFLE:
        return pixel_unshuffle(x, c->grid, 2);
    case TRANSPOSED:
        return conv2d_transposed(x, c->in[1], c->in[2], c->grid, c->window);
    case GROUP_NORM:
        return group_norm(x, c->in[1], c->in[2], c->grid, 2);
    default:
        return product_tn(x, c->in[1]);
    }
}

static Tensor *random_parameter(Arena *arena, Rng *rng, int rows, int cols)
{
    Tensor *t = parameter_new(arena, rows, cols);
    fill_normal(t->value, rng, 0.0f, 1.0f);
    return t;
}

static Case case_of(Arena *arena, int which)
{
    Case c = {.which = which,
              .count = which >= TRANSPOSED ? 3 : 1,
              .grid = {2, 2, 4},
              .window = window_square(3, 2, 1)};
    Rng rng = rng_new(21, (uint64_t)which);
    c.in[0] = random_parameter(arena, &rng, grid_rows(c.grid), 4);
    if (which == TRANSPOSED) {
        c.in[1] = random_parameter(arena, &rng, 9 * 3, 4);
        c.in[2] = random_parameter(arena, &rng, 1, 3);
    }
    if (which == GROUP_NORM)
        for (int i = 1; i < 3; i++) c.in[i] = random_parameter(arena, &rng, 1, 4);
    if (which == GRAM) {
        c.in[1] = random_parameter(arena, &rng, grid_rows(c.grid), 3);
        c.count = 2;
    }
    return c;
}

START_TEST(gradients_are_right_and_wrong_ones_are_caught)
{
    Arena *arena = arena_new();
    static const char *const names[] = {"x", "second", "third"};
    for (int which = 0; which < KINDS; which++) {
        Case c = case_of(arena, which);
        check_operation(build, &c, c.in, names, c.count, 2e-2);
    }
    arena_free(arena);
}
END_TEST

START_TEST(shuffling_and_back_moves_no_number)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Matrix x = matrix_new(arena, 2 * 3 * 5, 18);
    for (size_t i = 0; i < matrix_size(x); i++) x.data[i] = (float)i;
    const Grid small = {2, 3, 5}, large = enlarged_grid(HERE, small, 3);
    Tensor *y = pixel_shuffle(tape_input(tape, x), small, 3);
    ck_assert(y->value.rows == grid_rows(large) && y->value.cols == 2);
    ck_assert(largest_difference(pixel_unshuffle(y, large, 3)->value, x) == 0.0f);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

// ⟨conv(y), x⟩ = ⟨y, convᵀ(x)⟩ for all x and y: that is what a transpose is.
START_TEST(the_transposed_convolution_is_the_transpose)
{
    Arena *arena = arena_new();
    const Grid small = {2, 3, 4};
    const Window windows[] = {
        window_square(3, 2, 1), window_square(4, 2, 1), window_square(2, 2, 0), {3, 5, 1, 1, 1}};
    const Matrix none = {0, 0, NULL};
    for (size_t k = 0; k < sizeof windows / sizeof *windows; k++) {
        const Window window = windows[k];
        const Grid large = transposed_grid(HERE, small, window);
        Rng rng = rng_new(5, k);
        Matrix x = matrix_new(arena, grid_rows(small), 3), y = matrix_new(arena, grid_rows(large), 2);
        Matrix w = matrix_new(arena, window.height * window.width * 2, 3);
        Matrix up = matrix_new(arena, y.rows, 2), down = matrix_new(arena, x.rows, 3);
        fill_normal(x, &rng, 0, 1), fill_normal(y, &rng, 0, 1), fill_normal(w, &rng, 0, 1);
        conv2d_transposed_forward(arena, up, x, w, none, small, window);
        conv2d_forward(arena, down, y, w, none, large, window);
        ck_assert_msg(fabs(dot(down, x) - dot(y, up)) < 1e-3, "window %zu: %g and %g", k, dot(down, x),
                      dot(y, up));
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_picture_is_normalised_by_itself)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Rng rng = rng_new(6, 0);
    const Grid grid = {3, 4, 5}, one = {1, 4, 5};
    Matrix x = matrix_new(arena, 60, 6);
    fill_normal(x, &rng, 10000.0f, 1.0f); // far from 0, where a mean of squares has no digits left
    fill(matrix_rows(x, 20, 20), 7.25f);  // the second picture is flat
    Tensor *gain = parameter_new(arena, 1, 6), *bias = parameter_new(arena, 1, 6);
    fill(gain->value, 1.0f), fill(bias->value, 0.5f);
    const Matrix all = group_norm(tape_input(tape, x), gain, bias, grid, 2)->value;
    for (int n = 0; n < 3; n++) {
        const Matrix alone =
            group_norm(tape_input(tape, matrix_rows(x, n * 20, 20)), gain, bias, one, 2)->value;
        ck_assert(largest_difference(alone, matrix_rows(all, n * 20, 20)) == 0.0f);
    }
    for (int i = 20; i < 40; i++)
        for (int c = 0; c < 6; c++) ck_assert(AT(all, i, c) == 0.5f);
    double total = 0.0, squares = 0.0;
    for (int i = 0; i < 20; i++)
        for (int c = 0; c < 3; c++) {
            const double normal = (double)AT(all, i, c) - 0.5;
            total += normal / 60, squares += normal * normal / 60;
        }
    ck_assert_msg(fabs(total) < 1e-3 && fabs(squares - 1.0) < 1e-2, "mean %g, variance %g", total, squares);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void build_wrong(void *which)
{
    Arena *arena = arena_new();
    Case c = case_of(arena, *(int *)which);
    if (c.which == SHUFFLE) c.in[0] = parameter_new(arena, 16, 6);
    if (c.which == UNSHUFFLE) c.grid = (Grid){2, 1, 8};
    if (c.which == UPSAMPLE) c.grid = (Grid){2, 2, 5};
    if (c.which == TRANSPOSED) c.in[1] = parameter_new(arena, 9 * 4, 3);
    if (c.which == GROUP_NORM) c.in[1] = parameter_new(arena, 1, 3);
    if (c.which == GRAM) c.in[1] = parameter_new(arena, 15, 3);
    build(tape_new(), &c);
}

START_TEST(what_does_not_fit_is_named)
{
    static const char *const words[] = {"upsample: x (16 × 4) on a grid of 2 pictures of 2 × 5 pixels",
                                        "pixel_shuffle: 6 channels by a factor of 2",
                                        "pictures of 1 × 8 pixels by a factor of 2",
                                        "conv2d_transposed: 4 channels, a window of 3 × 3 pixels",
                                        "group_norm: 4 channels, gain (1 × 3)",
                                        "product_tn: (16 × 4)ᵀ · (15 × 3)"};
    for (int which = 0; which < KINDS; which++) expect_death(build_wrong, &which, words[which]);
}
END_TEST

SUITE("resample", gradients_are_right_and_wrong_ones_are_caught, shuffling_and_back_moves_no_number,
      the_transposed_convolution_is_the_transpose, a_picture_is_normalised_by_itself,
      what_does_not_fit_is_named)
