// The exercises of chapter 10, Convolution and pooling: what each task is tested for, and its points.
// H × W pixels, C features, O output features, windows of k × k. What the answers are compared with is computed here, in
// double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

typedef struct {
    int height, width, channels, outputs, window, stride, padding;
} Case;

// The small ones first, because a message shows them whole.
static const Case cases[] = {{1, 1, 1, 1, 1, 1, 0}, {2, 3, 1, 1, 2, 1, 0}, {3, 2, 1, 1, 3, 1, 1},
                             {3, 4, 2, 1, 2, 2, 0}, {2, 3, 2, 3, 1, 1, 0}, {5, 4, 1, 2, 3, 2, 1},
                             {4, 7, 3, 2, 3, 1, 2}, {8, 5, 2, 4, 5, 3, 2}, {9, 11, 4, 3, 4, 2, 1},
                             {7, 7, 2, 5, 2, 3, 1}};
enum { CASES = sizeof cases / sizeof *cases };

static int places(int side, Case z)
{
    int count = 0;
    for (int first = -z.padding; first + z.window <= side + z.padding; first += z.stride) count++;
    return count;
}

// Feature c of the pixel under tap (dy, dx) at place p; *at receives its index in x, −1 beyond the edge
static double under(Matrix x, Case z, int p, int dy, int dx, int c, int *at)
{
    int across = places(z.width, z);
    int i = p / across * z.stride + dy - z.padding, j = p % across * z.stride + dx - z.padding;
    *at = i < 0 || i >= z.height || j < 0 || j >= z.width ? -1 : (i * z.width + j) * z.channels + c;
    return *at < 0 ? 0.0 : (double)x.data[*at];
}

typedef struct {
    Arena *arena;
    int places;                           // H'·W'
    Matrix x, w, b, d_y;                  // random
    Matrix rows, y, d_x, d_w;             // rubbish
    double *t_rows, *t_y, *t_d_x, *t_d_w; // the truth
} Trial;

static Trial trial_new(Case z, uint64_t stream)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(10, stream);
    Trial t = {.arena = arena, .places = places(z.height, z) * places(z.width, z)};
    int taps = z.window * z.window * z.channels;
    t.x = random_normal(arena, &rng, z.height * z.width, z.channels);
    t.w = random_normal(arena, &rng, taps, z.outputs);
    t.b = random_normal(arena, &rng, 1, z.outputs);
    t.d_y = random_normal(arena, &rng, t.places, z.outputs);
    t.rows = rubbish(arena, t.places, taps);
    t.y = rubbish(arena, t.places, z.outputs);
    t.d_x = rubbish(arena, t.x.rows, t.x.cols);
    t.d_w = rubbish(arena, taps, z.outputs);
    t.t_rows = doubles(arena, matrix_size(t.rows)), t.t_y = doubles(arena, matrix_size(t.y));
    t.t_d_x = doubles(arena, matrix_size(t.d_x)), t.t_d_w = doubles(arena, matrix_size(t.d_w));
    for (size_t i = 0; i < matrix_size(t.y); i++) t.t_y[i] = (double)t.b.data[i % (size_t)z.outputs];
    for (size_t i = 0; i < matrix_size(t.d_x); i++) t.t_d_x[i] = 0.0;
    for (size_t i = 0; i < matrix_size(t.d_w); i++) t.t_d_w[i] = 0.0;
    for (int p = 0; p < t.places; p++)
        for (int k = 0; k < taps; k++) {
            int tap = k / z.channels, at;
            double value = under(t.x, z, p, tap / z.window, tap % z.window, k % z.channels, &at);
            t.t_rows[p * taps + k] = value;
            for (int o = 0; o < z.outputs; o++) {
                t.t_y[p * z.outputs + o] += value * (double)AT(t.w, k, o);
                t.t_d_w[k * z.outputs + o] += value * (double)AT(t.d_y, p, o);
                if (at >= 0) t.t_d_x[at] += (double)AT(t.w, k, o) * (double)AT(t.d_y, p, o);
            }
        }
    return t;
}

// ---- TASK 10.1: how many places ---------------------------------------------------------------------------

static void expect_side(int side, int window, int stride, int padding, int expected)
{
    GIVEN(NUMBER("side", side), NUMBER("window", window), NUMBER("stride", stride),
          NUMBER("padding", padding));
    expect_number("output_side", output_side(side, window, stride, padding), expected, 0.0);
}

START_TEST(a_window_that_moves_by_one_pixel)
{
    expect_side(5, 3, 1, 0, 3);
    expect_side(28, 5, 1, 0, 24);
    expect_side(7, 7, 1, 0, 1);
}
END_TEST

START_TEST(padding_counts_on_both_sides)
{
    expect_side(28, 5, 1, 2, 28);
    expect_side(3, 3, 1, 1, 3);
    expect_side(1, 3, 1, 1, 1);
}
END_TEST

START_TEST(a_step_that_does_not_fit_is_not_made)
{
    expect_side(28, 2, 2, 0, 14);
    expect_side(7, 2, 2, 0, 3);
    expect_side(8, 3, 2, 0, 3);
    for (int side = 1; side < 12; side++)
        for (int window = 1; window <= side; window++)
            for (int stride = 1; stride < 5; stride++)
                for (int padding = 0; padding < 3; padding++) {
                    Case z = {.window = window, .stride = stride, .padding = padding};
                    expect_side(side, window, stride, padding, places(side, z));
                }
}
END_TEST

// ---- TASK 10.2: windows as rows ---------------------------------------------------------------------------

static void call_patches(Matrix rows, Matrix x, Case z)
{
    GIVEN(OUT("rows", rows), IN("x", x), NUMBER("width", z.width), NUMBER("window", z.window),
          NUMBER("stride", z.stride), NUMBER("padding", z.padding));
    patches(rows, x, z.width, z.window, z.stride, z.padding);
}

START_TEST(the_two_windows_in_a_picture_of_two_by_three)
{
    float x_values[] = {1, 2, 3, 4, 5, 6}, rows_values[] = {7, 7, 7, 7, 7, 7, 7, 7};
    Matrix rows = matrix_view(2, 4, rows_values), x = matrix_view(6, 1, x_values);
    call_patches(rows, x, (Case){2, 3, 1, 1, 2, 1, 0});
    expect_within("rows", rows, ((double[]){1, 2, 4, 5, 2, 3, 5, 6}), 0.0);
}
END_TEST

START_TEST(beyond_the_edge_there_are_zeros)
{
    float x_values[] = {1, 2}, rows_values[18];
    for (int i = 0; i < 18; i++) rows_values[i] = 7;
    Matrix rows = matrix_view(2, 9, rows_values), x = matrix_view(2, 1, x_values);
    call_patches(rows, x, (Case){1, 2, 1, 1, 3, 1, 1});
    expect_within("rows", rows, ((double[]){0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0}), 0.0);
}
END_TEST

START_TEST(windows_of_any_size_become_rows)
{
    for (int s = 0; s < CASES; s++) {
        Trial t = trial_new(cases[s], (uint64_t)s);
        call_patches(t.rows, t.x, cases[s]);
        expect_within("rows", t.rows, t.t_rows, 0.0);
        EXPECT_UNCHANGED();
        arena_free(t.arena);
    }
}
END_TEST

// ---- TASK 10.3: convolution -------------------------------------------------------------------------------

static void call_convolve(Matrix y, Matrix x, Matrix w, Matrix b, Case z)
{
    GIVEN(OUT("y", y), IN("x", x), IN("w", w), IN("b", b), NUMBER("width", z.width),
          NUMBER("window", z.window), NUMBER("stride", z.stride), NUMBER("padding", z.padding));
    convolve(y, x, w, b, z.width, z.window, z.stride, z.padding);
}

START_TEST(a_window_slides_over_two_by_three_pixels)
{
    // 1 · 1 + 2 · 10 + 4 · 100 + 5 · 1000 + 0.5, and one pixel further
    float x_values[] = {1, 2, 3, 4, 5, 6}, w_values[] = {1, 10, 100, 1000}, b_values[] = {0.5f},
          y_values[] = {7, 7};
    Matrix y = matrix_view(2, 1, y_values), x = matrix_view(6, 1, x_values), w = matrix_view(4, 1, w_values);
    call_convolve(y, x, w, matrix_view(1, 1, b_values), (Case){2, 3, 1, 1, 2, 1, 0});
    expect_within("y", y, ((double[]){5421.5, 6532.5}), 1e-2);
}
END_TEST

START_TEST(a_window_of_one_pixel_mixes_features_only)
{
    float x_values[] = {1, 2, 3, 4, 5, 6}, w_values[] = {1, -1, 2, 3}, b_values[] = {10, 20}, y_values[6];
    for (int i = 0; i < 6; i++) y_values[i] = 7;
    Matrix y = matrix_view(3, 2, y_values), x = matrix_view(3, 2, x_values), w = matrix_view(2, 2, w_values);
    call_convolve(y, x, w, matrix_view(1, 2, b_values), (Case){3, 1, 2, 2, 1, 1, 0});
    expect_within("y", y, ((double[]){15, 25, 21, 29, 27, 33}), 1e-4);
}
END_TEST

START_TEST(convolutions_of_any_size_are_right)
{
    for (int s = 0; s < CASES; s++) {
        Trial t = trial_new(cases[s], 100 + (uint64_t)s);
        call_convolve(t.y, t.x, t.w, t.b, cases[s]);
        expect_close("y", t.y, t.t_y, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(t.arena);
    }
}
END_TEST

// ---- TASK 10.4: its derivatives ---------------------------------------------------------------------------

static void call_gradient(Matrix d_x, Matrix d_w, Matrix d_y, Matrix x, Matrix w, Case z)
{
    GIVEN(OUT("d_x", d_x), OUT("d_w", d_w), IN("d_y", d_y), IN("x", x), IN("w", w), NUMBER("width", z.width),
          NUMBER("window", z.window), NUMBER("stride", z.stride), NUMBER("padding", z.padding));
    convolve_gradient(d_x, d_w, d_y, x, w, z.width, z.window, z.stride, z.padding);
}

START_TEST(the_gradients_of_two_windows_computed_by_hand)
{
    // d_y = {1, 2}: each weight was at two pixels; the pixels in the middle column were seen twice.
    float x_values[] = {1, 2, 3, 4, 5, 6}, w_values[] = {1, 10, 100, 1000}, d_y_values[] = {1, 2};
    float d_x_values[] = {7, 7, 7, 7, 7, 7}, d_w_values[] = {7, 7, 7, 7};
    Matrix d_x = matrix_view(6, 1, d_x_values), d_w = matrix_view(4, 1, d_w_values);
    Matrix d_y = matrix_view(2, 1, d_y_values), x = matrix_view(6, 1, x_values),
           w = matrix_view(4, 1, w_values);
    call_gradient(d_x, d_w, d_y, x, w, (Case){2, 3, 1, 1, 2, 1, 0});
    expect_within("d_w", d_w, ((double[]){5, 8, 14, 17}), 1e-4);
    expect_within("d_x", d_x, ((double[]){1, 12, 20, 100, 1200, 2000}), 1e-2);
}
END_TEST

START_TEST(the_gradient_of_the_weights_is_a_sum_over_all_places)
{
    for (int s = 0; s < CASES; s++) {
        Trial t = trial_new(cases[s], 200 + (uint64_t)s);
        call_gradient(t.d_x, t.d_w, t.d_y, t.x, t.w, cases[s]);
        expect_close("d_w", t.d_w, t.t_d_w, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(t.arena);
    }
}
END_TEST

START_TEST(the_gradient_of_the_picture_is_a_sum_over_the_windows_that_saw_it)
{
    for (int s = 0; s < CASES; s++) {
        Trial t = trial_new(cases[s], 300 + (uint64_t)s);
        call_gradient(t.d_x, t.d_w, t.d_y, t.x, t.w, cases[s]);
        expect_close("d_x", t.d_x, t.t_d_x, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(t.arena);
    }
}
END_TEST

// ---- TASK 10.5: back through max pooling ------------------------------------------------------------------

static void call_pool(Matrix d_x, Matrix d_y, Matrix x, Case z)
{
    GIVEN(OUT("d_x", d_x), IN("d_y", d_y), IN("x", x), NUMBER("width", z.width), NUMBER("window", z.window),
          NUMBER("stride", z.stride));
    pool_gradient(d_x, d_y, x, z.width, z.window, z.stride);
}

START_TEST(only_the_largest_of_each_window_moves)
{
    float x_values[] = {1, 2, 9, 3, 4, 3, 5, 6}, d_y_values[] = {10, 20}, d_x_values[8];
    for (int i = 0; i < 8; i++) d_x_values[i] = 7;
    Matrix d_x = matrix_view(8, 1, d_x_values), d_y = matrix_view(2, 1, d_y_values),
           x = matrix_view(8, 1, x_values);
    call_pool(d_x, d_y, x, (Case){2, 4, 1, 1, 2, 2, 0});
    expect_within("d_x", d_x, ((double[]){0, 0, 20, 0, 10, 0, 0, 0}), 0.0);
}
END_TEST

START_TEST(of_equal_numbers_the_first_wins)
{
    float x_values[] = {-1, 4, 4, 4}, d_y_values[] = {3}, d_x_values[] = {7, 7, 7, 7};
    Matrix d_x = matrix_view(4, 1, d_x_values), d_y = matrix_view(1, 1, d_y_values),
           x = matrix_view(4, 1, x_values);
    call_pool(d_x, d_y, x, (Case){2, 2, 1, 1, 2, 1, 0});
    expect_within("d_x", d_x, ((double[]){0, 3, 0, 0}), 0.0);
}
END_TEST

START_TEST(who_wins_in_two_windows_receives_both)
{
    float x_values[] = {1, 9, 2, -1, -2, -3}, d_y_values[] = {10, 20}, d_x_values[] = {7, 7, 7, 7, 7, 7};
    Matrix d_x = matrix_view(6, 1, d_x_values), d_y = matrix_view(2, 1, d_y_values),
           x = matrix_view(6, 1, x_values);
    call_pool(d_x, d_y, x, (Case){2, 3, 1, 1, 2, 1, 0});
    expect_within("d_x", d_x, ((double[]){0, 30, 0, 0, 0, 0}), 0.0);
}
END_TEST

START_TEST(pooling_of_any_size_hands_the_gradient_to_the_winners)
{
    static const Case pools[] = {{3, 4, 1, 0, 2, 2, 0}, {2, 2, 3, 0, 2, 2, 0},  {3, 5, 2, 0, 3, 1, 0},
                                 {7, 9, 4, 0, 3, 2, 0}, {11, 6, 5, 0, 2, 3, 0}, {8, 8, 2, 0, 4, 4, 0}};
    for (int s = 0; s < 6; s++) {
        Case z = pools[s];
        Arena *arena = arena_new();
        Rng rng = rng_new(105, (uint64_t)s);
        int count = places(z.height, z) * places(z.width, z);
        Matrix x = random_normal(arena, &rng, z.height * z.width, z.channels);
        Matrix d_y = random_normal(arena, &rng, count, z.channels), d_x = rubbish(arena, x.rows, x.cols);
        for (size_t i = 0; i < matrix_size(x); i++) x.data[i] = floorf(2.0f * x.data[i]); // some are equal
        double *expected = doubles(arena, matrix_size(x));
        for (size_t i = 0; i < matrix_size(x); i++) expected[i] = 0.0;
        for (int p = 0; p < count; p++)
            for (int c = 0; c < z.channels; c++) {
                int best = -1, at;
                double most = -INFINITY;
                for (int tap = 0; tap < z.window * z.window; tap++) {
                    double value = under(x, z, p, tap / z.window, tap % z.window, c, &at);
                    if (value > most) most = value, best = at;
                }
                expected[best] += (double)AT(d_y, p, c);
            }
        call_pool(d_x, d_y, x, z);
        expect_within("d_x", d_x, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("10-cnn",
         {"10.1", 3, a_window_that_moves_by_one_pixel},
         {"10.1", 3, padding_counts_on_both_sides},
         {"10.1", 4, a_step_that_does_not_fit_is_not_made},
         {"10.2", 5, the_two_windows_in_a_picture_of_two_by_three},
         {"10.2", 5, beyond_the_edge_there_are_zeros},
         {"10.2", 10, windows_of_any_size_become_rows},
         {"10.3", 5, a_window_slides_over_two_by_three_pixels},
         {"10.3", 5, a_window_of_one_pixel_mixes_features_only},
         {"10.3", 10, convolutions_of_any_size_are_right},
         {"10.4", 5, the_gradients_of_two_windows_computed_by_hand},
         {"10.4", 10, the_gradient_of_the_weights_is_a_sum_over_all_places},
         {"10.4", 15, the_gradient_of_the_picture_is_a_sum_over_the_windows_that_saw_it},
         {"10.5", 4, only_the_largest_of_each_window_moves},
         {"10.5", 4, of_equal_numbers_the_first_wins},
         {"10.5", 4, who_wins_in_two_windows_receives_both},
         {"10.5", 8, pooling_of_any_size_hands_the_gradient_to_the_winners})
