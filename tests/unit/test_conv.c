// Convolution and pooling: against plain loops in double precision and the naive twins, and their gradients.
#include "suite.h"
#include "gradients.h"
#include "base/parallel.h"
#include "learning/ops/conv.h"
#include "learning/ops/pool.h"
#include "matrix/matrix.h"
#include <math.h>

typedef struct {
    Tensor *x, *w, *b;
    Grid grid;
    Window window;
} Case;

typedef struct {
    Grid grid;
    int channels, outputs;
    Window window;
} Shape;

// Odd, non-square, every stride, padding and group; widths around what the fast version takes at once.
static const Shape shapes[] = {
    {{1, 1, 1}, 1, 1, {1, 1, 0, 0, 0}},    {{2, 5, 7}, 3, 4, {3, 2, 1, 0, 1}},
    {{3, 4, 5}, 2, 5, {3, 3, 1, 1, 1}},    {{2, 7, 6}, 4, 6, {3, 3, 2, 1, 2}},
    {{1, 9, 8}, 3, 2, {2, 4, 3, 2, 1}},    {{2, 5, 6}, 6, 6, {3, 3, 1, 1, 6}},
    {{2, 6, 5}, 4, 8, {3, 1, 2, 2, 4}},    {{3, 5, 5}, 5, 3, {1, 1, 1, 0, 1}},
    {{2, 5, 7}, 5, 3, {1, 1, 2, 0, 1}},    {{1, 3, 4}, 2, 3, {5, 5, 1, 3, 1}},
    {{1, 6, 31}, 1, 8, {5, 5, 1, 0, 1}},   {{2, 8, 8}, 1, 8, {5, 5, 1, 0, 1}},
    {{2, 12, 12}, 8, 16, {5, 5, 1, 0, 1}}, {{1, 4, 17}, 16, 16, {3, 3, 1, 1, 1}},
    {{1, 7, 7}, 33, 35, {3, 3, 1, 1, 1}},  {{1, 7, 14}, 17, 33, {3, 3, 2, 1, 1}},
    {{1, 3, 30}, 2, 1, {3, 3, 1, 1, 1}},   {{19, 3, 4}, 2, 17, {2, 2, 1, 0, 1}},
    {{2, 4, 4}, 2, 2, {1, 2, 1, 3, 1}},    {{1, 5, 6}, 18, 18, {3, 3, 2, 1, 18}},
    {{1, 3, 4}, 2, 40, {2, 2, 1, 1, 2}},   {{2, 5, 5}, 3, 3, {3, 3, 3, 0, 1}},
    {{2, 3, 4}, 48, 48, {3, 3, 1, 1, 48}}, {{3, 4, 3}, 2, 2, {2, 3, 3, 4, 2}},
    {{9, 5, 4}, 17, 17, {3, 2, 2, 0, 17}}, {{1, 4, 5}, 3, 3, {1, 1, 1, 0, 3}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static Case filled_case(Arena *arena, Shape s)
{
    const int groups = int_max(1, s.window.groups), taps = s.window.height * s.window.width;
    Case c = {parameter_new(arena, grid_rows(s.grid), s.channels),
              parameter_new(arena, taps * s.channels / groups, s.outputs), parameter_new(arena, 1, s.outputs),
              s.grid, s.window};
    Rng rng = rng_new(4, 0);
    fill_uniform(c.x->value, &rng, -1.0f, 1.0f);
    fill_uniform(c.w->value, &rng, -1.0f, 1.0f);
    fill_uniform(c.b->value, &rng, -1.0f, 1.0f);
    return c;
}

static const char *shape_text(Shape s)
{
    static char text[160];
    snprintf(text, sizeof text,
             "%d pictures of %d × %d, %d → %d channels, window %d × %d, stride %d, padding %d, %d groups",
             s.grid.count, s.grid.height, s.grid.width, s.channels, s.outputs, s.window.height,
             s.window.width, s.window.stride, s.window.padding, s.window.groups);
    return text;
}

static Tensor *build_conv2d(Tape *tape, void *context)
{
    Case *c = context;
    return conv2d(tape_parameter(tape, c->x), c->w, c->b, c->grid, c->window);
}

static Tensor *build_conv2d_relu(Tape *tape, void *context)
{
    Case *c = context;
    return conv2d_relu(tape_parameter(tape, c->x), c->w, c->b, c->grid, c->window);
}

static Tensor *build_conv2d_without_bias(Tape *tape, void *context)
{
    Case *c = context;
    return conv2d(tape_parameter(tape, c->x), c->w, NULL, c->grid, c->window);
}

static Tensor *build_max_pool(Tape *tape, void *context)
{
    Case *c = context;
    return max_pool(tape_parameter(tape, c->x), c->grid, c->window);
}

static Tensor *build_average_pool(Tape *tape, void *context)
{
    Case *c = context;
    return average_pool(tape_parameter(tape, c->x), c->grid, c->window);
}

static Tensor *build_global_average_pool(Tape *tape, void *context)
{
    Case *c = context;
    return global_average_pool(tape_parameter(tape, c->x), c->grid);
}

static const char *const NAMES[] = {"x", "w", "b"};

// One output of a convolution, in double precision, from the definition in learning/ops/conv.h.
static double conv2d_of(const Case *c, Shape s, int n, int i, int j, int o)
{
    const int stride = int_max(1, s.window.stride), groups = int_max(1, s.window.groups);
    const int inputs = s.channels / groups, first = o / (s.outputs / groups) * inputs;
    double total = (double)c->b->value.data[o];
    for (int dy = 0; dy < s.window.height; dy++)
        for (int dx = 0; dx < s.window.width; dx++)
            for (int k = 0; k < inputs; k++) {
                const int y = i * stride + dy - s.window.padding, x = j * stride + dx - s.window.padding;
                if (y < 0 || y >= s.grid.height || x < 0 || x >= s.grid.width) continue;
                total += (double)AT(c->x->value, (n * s.grid.height + y) * s.grid.width + x, first + k) *
                         (double)AT(c->w->value, (dy * s.window.width + dx) * inputs + k, o);
            }
    return total;
}

START_TEST(convolution_equals_its_definition)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    for (int s = 0; s < SHAPES; s++) {
        Case c = filled_case(arena, shapes[s]);
        Matrix got = build_conv2d(tape, &c)->value, active = build_conv2d_relu(tape, &c)->value;
        Grid out = window_grid(HERE, c.grid, c.window);
        ck_assert_int_eq(got.rows, grid_rows(out));
        ck_assert_int_eq(got.cols, shapes[s].outputs);
        for (int p = 0; p < got.rows; p++)
            for (int o = 0; o < got.cols; o++) {
                int n = p / (out.height * out.width), i = p / out.width % out.height, j = p % out.width;
                double expected = conv2d_of(&c, shapes[s], n, i, j, o);
                ck_assert_msg(fabs((double)AT(got, p, o) - expected) < 1e-4,
                              "%s, (%d, %d): got %g, expected %g", shape_text(shapes[s]), p, o,
                              (double)AT(got, p, o), expected);
                ck_assert_msg(fabs((double)AT(active, p, o) - fmax(expected, 0.0)) < 1e-4,
                              "%s through relu, (%d, %d): got %g, expected %g", shape_text(shapes[s]), p, o,
                              (double)AT(active, p, o), fmax(expected, 0.0));
            }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(grids_shrink_as_they_should)
{
    const int cases[][6] = {// height, window, stride, padding → height
                            {28, 5, 1, 0, 24, 0}, {28, 3, 1, 1, 28, 0}, {28, 3, 2, 1, 14, 0},
                            {24, 2, 2, 0, 12, 0}, {7, 2, 2, 0, 3, 0},   {5, 5, 0, 0, 1, 0},
                            {1, 3, 1, 1, 1, 0},   {9, 4, 3, 2, 4, 0}};
    for (int i = 0; i < 8; i++) {
        const int *t = cases[i];
        Grid out = window_grid(HERE, (Grid){3, t[0], t[0] + 1}, window_square(t[1], t[2], t[3]));
        ck_assert_int_eq(out.count, 3);
        ck_assert_int_eq(out.height, t[4]);
    }
}
END_TEST

START_TEST(the_fast_version_equals_the_naive_one_bit_for_bit)
{
    Arena *arena = arena_new();
    for (int s = 0; s < SHAPES; s++) {
        Case c = filled_case(arena, shapes[s]);
        Matrix x = c.x->value, w = c.w->value, b = c.b->value, none = {0, 0, NULL};
        int rows = grid_rows(window_grid(HERE, c.grid, c.window));
        Matrix y[2], d_x[2], d_w[2], d_b[2], d_y = matrix_new(arena, rows, w.cols);
        Rng rng = rng_new(6, 6);
        fill_normal(d_y, &rng, 0, 1);
        for (int i = 0; i < 2; i++) {
            y[i] = matrix_new(arena, rows, w.cols);
            d_x[i] = matrix_copy(arena, x), d_w[i] = matrix_copy(arena, w), d_b[i] = matrix_copy(arena, b);
        }
        size_t used = arena_used(arena);
        for (int with_bias = 0; with_bias < 2; with_bias++) {
            conv2d_naive_forward(y[0], x, w, with_bias ? b : none, c.grid, c.window);
            conv2d_forward(arena, y[1], x, w, with_bias ? b : none, c.grid, c.window);
            ck_assert_msg(largest_difference(y[0], y[1]) == 0.0f, "%s: y", shape_text(shapes[s]));
        }
        conv2d_naive_backward(d_x[0], d_w[0], d_b[0], d_y, x, w, c.grid, c.window);
        conv2d_backward(arena, d_x[1], d_w[1], d_b[1], d_y, x, w, c.grid, c.window);
        conv2d_backward(arena, none, none, none, d_y, x, w, c.grid,
                        c.window); // nothing wanted, nothing touched
        ck_assert_msg(largest_difference(d_x[0], d_x[1]) == 0.0f, "%s: d_x", shape_text(shapes[s]));
        ck_assert_msg(largest_difference(d_w[0], d_w[1]) == 0.0f, "%s: d_w", shape_text(shapes[s]));
        ck_assert_msg(largest_difference(d_b[0], d_b[1]) == 0.0f, "%s: d_b", shape_text(shapes[s]));
        ck_assert_msg(arena_used(arena) == used, "%s: the scratch is not given back", shape_text(shapes[s]));
    }
    arena_free(arena);
}
END_TEST

START_TEST(patches_are_windows_and_their_transpose_adds_them_back)
{
    Arena *arena = arena_new();
    for (int s = 0; s < SHAPES; s++) {
        Case c = filled_case(arena, shapes[s]);
        Window window = c.window;
        window.groups = 1;
        Matrix x = c.x->value;
        int rows = grid_rows(window_grid(HERE, c.grid, window)), taps = window.height * window.width;
        Matrix patches = matrix_new(arena, rows, taps * x.cols), other = matrix_copy(arena, patches);
        Matrix back = matrix_new(arena, x.rows, x.cols), w = matrix_new(arena, taps * x.cols, 2);
        Matrix y = matrix_new(arena, rows, 2), expected = matrix_new(arena, rows, 2);
        Rng rng = rng_new(8, 8);
        fill_normal(w, &rng, 0, 1);
        fill_normal(other, &rng, 0, 1);
        grid_to_patches(patches, x, c.grid, window);
        matmul(y, patches, w);
        conv2d_naive_forward(expected, x, w, (Matrix){0, 0, NULL}, c.grid, window);
        ck_assert_msg(largest_difference(y, expected) < 1e-5f, "%s", shape_text(shapes[s]));
        // ⟨patches of x, other⟩ = ⟨x, other added back⟩
        patches_to_grid(back, other, c.grid, window);
        double size = 1 + sqrt(sum_of_squares(patches) * sum_of_squares(other));
        ck_assert_msg(fabs(dot(patches, other) - dot(x, back)) < 1e-6 * size, "%s: %g and %g",
                      shape_text(shapes[s]), dot(patches, other), dot(x, back));
    }
    arena_free(arena);
}
END_TEST

// The shapes that are small enough to move every number twice.
static bool few_numbers(Shape s)
{
    return grid_rows(s.grid) * s.channels <= 200 && s.channels * s.outputs <= 80;
}

START_TEST(gradients_of_convolution)
{
    Arena *arena = arena_new();
    for (int s = 0; s < SHAPES; s++) {
        if (!few_numbers(shapes[s])) continue;
        Case c = filled_case(arena, shapes[s]);
        check_operation(build_conv2d, &c, (Tensor *[]){c.x, c.w, c.b}, NAMES, 3, 2e-3);
        check_operation(build_conv2d_without_bias, &c, (Tensor *[]){c.x, c.w}, NAMES, 2, 2e-3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(gradients_of_convolution_through_relu)
{
    Arena *arena = arena_new();
    const Shape small[] = {{{2, 3, 4}, 2, 3, {2, 2, 1, 1, 1}}, {{2, 4, 3}, 4, 4, {3, 3, 2, 1, 4}}};
    for (int s = 0; s < 2; s++) {
        Case c = filled_case(arena, small[s]);
        // Far from the kink of relu: each output's bias decides its sign.
        for (int o = 0; o < c.b->value.cols; o++) c.b->value.data[o] = o % 2 ? 20.0f : -20.0f;
        check_operation(build_conv2d_relu, &c, (Tensor *[]){c.x, c.w, c.b}, NAMES, 3, 2e-3);
    }
    arena_free(arena);
}
END_TEST

static const Shape pools[] = {
    {{2, 4, 6}, 3, 3, {2, 2, 2, 0, 0}},   {{1, 5, 7}, 2, 2, {2, 2, 2, 0, 0}},
    {{2, 5, 4}, 3, 3, {3, 2, 1, 1, 0}},   {{1, 7, 6}, 17, 17, {3, 3, 2, 1, 0}},
    {{1, 4, 6}, 20, 20, {2, 2, 2, 0, 0}}, {{2, 3, 3}, 1, 1, {3, 3, 3, 0, 0}},
    {{1, 6, 8}, 40, 40, {2, 2, 2, 0, 0}},
};
enum { POOLS = sizeof pools / sizeof *pools };

START_TEST(pools_equal_their_definitions)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    for (int s = 0; s < POOLS; s++) {
        Case c = filled_case(arena, pools[s]);
        Grid grid = c.grid, out = window_grid(HERE, grid, c.window);
        Window window = c.window;
        Matrix most = build_max_pool(tape, &c)->value, mean = build_average_pool(tape, &c)->value,
               all = build_global_average_pool(tape, &c)->value;
        ck_assert_int_eq(most.rows, grid_rows(out));
        for (int p = 0; p < most.rows; p++)
            for (int k = 0; k < most.cols; k++) {
                int n = p / (out.height * out.width), i = p / out.width % out.height, j = p % out.width;
                double largest_seen = -INFINITY, total = 0.0;
                for (int dy = 0; dy < window.height; dy++)
                    for (int dx = 0; dx < window.width; dx++) {
                        int y = i * window.stride + dy - window.padding,
                            x = j * window.stride + dx - window.padding;
                        if (y < 0 || y >= grid.height || x < 0 || x >= grid.width) continue;
                        double value = (double)AT(c.x->value, (n * grid.height + y) * grid.width + x, k);
                        largest_seen = fmax(largest_seen, value);
                        total += value / (window.height * window.width);
                    }
                ck_assert_msg((double)AT(most, p, k) == largest_seen, "%s: got %g, expected %g",
                              shape_text(pools[s]), (double)AT(most, p, k), largest_seen);
                ck_assert_msg(fabs((double)AT(mean, p, k) - total) < 1e-6, "%s: got %g, expected %g",
                              shape_text(pools[s]), (double)AT(mean, p, k), total);
            }
        for (int n = 0; n < grid.count; n++)
            for (int k = 0; k < all.cols; k++) {
                double total = 0.0;
                int pixels = grid.height * grid.width;
                for (int p = 0; p < pixels; p++) total += (double)AT(c.x->value, n * pixels + p, k) / pixels;
                ck_assert(fabs((double)AT(all, n, k) - total) < 1e-6);
            }
        tape_reset(tape);
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

START_TEST(max_pool_takes_the_first_of_equals_and_shows_a_nan)
{
    float values[] = {1,         1,         2,    NAN,   1,         1,         -INFINITY, 3,
                      -INFINITY, -INFINITY, 0.0f, -0.0f, -INFINITY, -INFINITY, -0.0f,     0.0f};
    float most[4];
    int chosen[4];
    for (int general = 0; general < 2; general++) {
        // A window of four pixels each time, 2 × 2 and, the rows laid side by side, 1 × 4.
        float in[16];
        for (int i = 0; i < 16; i++) {
            int window = i / 4, tap = i % 4;
            int square = (window / 2 * 2 + tap / 2) * 4 + window % 2 * 2 + tap % 2;
            in[general ? i : square] = values[square];
        }
        Grid grid = general ? (Grid){1, 4, 4} : (Grid){1, 4, 4};
        Window window = general ? (Window){1, 4, 4, 0, 0} : (Window){2, 2, 2, 0, 0};
        if (general) grid = (Grid){4, 1, 4};
        max_pool_forward((Matrix){4, 1, most}, chosen, (Matrix){16, 1, in}, grid, window);
        ck_assert(most[0] == 1.0f && most[1] != most[1] && most[2] == -INFINITY && most[3] == 0.0f);
        const int first[2][4] = {{0, 3, 8, 10}, {0, 5, 8, 12}};
        for (int i = 0; i < 4; i++) ck_assert_int_eq(chosen[i], first[general][i]);
    }
}
END_TEST

START_TEST(gradients_of_pooling)
{
    Arena *arena = arena_new();
    for (int s = 0; s < POOLS; s++) {
        Case c = filled_case(arena, pools[s]);
        // Neighbours differ by more than the step of the check: no other pixel becomes the largest.
        for (size_t i = 0; i < matrix_size(c.x->value); i++)
            c.x->value.data[i] = 0.05f * (float)(i * 7919 % matrix_size(c.x->value));
        check_operation(build_max_pool, &c, (Tensor *[]){c.x}, NAMES, 1, 2e-3);
        check_operation(build_average_pool, &c, (Tensor *[]){c.x}, NAMES, 1, 2e-3);
        check_operation(build_global_average_pool, &c, (Tensor *[]){c.x}, NAMES, 1, 2e-3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(an_input_that_wants_no_gradient_gets_none)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Case c = filled_case(arena, shapes[2]);
    Tensor *x = tape_input(tape, c.x->value);
    Tensor *y = conv2d(x, c.w, c.b, c.grid, c.window);
    backward_from(y, matrix_copy(arena, y->value));
    ck_assert(!x->has_gradient && c.w->has_gradient && c.b->has_gradient);
    tape_free(tape);
    arena_free(arena);
}
END_TEST

static void convolve(void *context)
{
    Shape *s = context;
    Arena *arena = arena_new();
    Case c = filled_case(arena, *s);
    build_conv2d(tape_new(), &c);
}

static void convolve_another_grid(void *context)
{
    Shape *s = context;
    Arena *arena = arena_new();
    Case c = filled_case(arena, *s);
    c.grid.count++;
    build_conv2d(tape_new(), &c);
}

static void convolve_other_channels(void *context)
{
    Shape *s = context;
    Arena *arena = arena_new();
    Case c = filled_case(arena, *s);
    c.w = parameter_new(arena, 4, 4);
    build_conv2d(tape_new(), &c);
}

static void pool(void *context)
{
    Shape *s = context;
    Arena *arena = arena_new();
    Case c = filled_case(arena, *s);
    build_max_pool(tape_new(), &c);
}

START_TEST(what_does_not_fit_is_refused_kindly)
{
    Shape large = {{2, 4, 3}, 2, 2, {5, 2, 1, 0, 1}}, fits = {{2, 4, 3}, 2, 2, {3, 2, 1, 0, 1}},
          groups = {{2, 4, 4}, 3, 4, {1, 1, 1, 0, 2}}, padded = {{1, 4, 4}, 1, 1, {2, 2, 2, 2, 0}};
    expect_death(convolve, &large,
                 "a window of 5 × 2 pixels does not fit on pictures of 4 × 3 with padding 0");
    expect_death(convolve, &large, "test_conv.c");
    expect_death(convolve, &large, "take a smaller window");
    expect_death(convolve_another_grid, &fits, "conv2d: x (24 × 2) on a grid of 3 pictures of 4 × 3 pixels");
    expect_death(convolve_other_channels, &fits, "meets a weight (4 × 4)");
    expect_death(convolve, &groups, "2 groups for 3 channels in and 4 out");
    expect_death(pool, &padded, "a window of 2 × 2 pixels with padding 2");
}
END_TEST

START_TEST(the_means_of_huge_pixels_are_numbers)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    const Grid grid = {2, 4, 4};
    Matrix x = matrix_new(arena, 32, 3);
    fill(x, 3e38f);
    AT(x, 0, 1) = INFINITY, AT(x, 31, 2) = NAN;
    for (int kind = 0; kind < 2; kind++) {
        const Matrix y = kind ? global_average_pool(tape_input(tape, x), grid)->value
                              : average_pool(tape_input(tape, x), grid, window_square(2, 2, 0))->value;
        for (int p = 0; p < y.rows; p++)
            for (int c = 0; c < 3; c++) {
                const float got = AT(y, p, c);
                ck_assert_msg(p == 0 && c == 1            ? isinf(got)
                              : p == y.rows - 1 && c == 2 ? isnan(got)
                                                          : got == 3e38f,
                              "kind %d: the mean of window %d, channel %d is %g", kind, p, c, (double)got);
            }
    }
    tape_free(tape);
    arena_free(arena);
}
END_TEST

SUITE("conv", grids_shrink_as_they_should, convolution_equals_its_definition,
      the_fast_version_equals_the_naive_one_bit_for_bit,
      patches_are_windows_and_their_transpose_adds_them_back, gradients_of_convolution,
      gradients_of_convolution_through_relu, pools_equal_their_definitions,
      max_pool_takes_the_first_of_equals_and_shows_a_nan, gradients_of_pooling,
      an_input_that_wants_no_gradient_gets_none, what_does_not_fit_is_refused_kindly,
      the_means_of_huge_pixels_are_numbers)
