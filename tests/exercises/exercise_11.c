// The exercises of chapter 11, From AlexNet to ResNet: what each task is tested for, and its points.
// N rows, C columns. What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

static const int shapes[][2] = {{2, 1}, {3, 2}, {5, 1}, {7, 4}, {33, 3}, {64, 5}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct {
    Arena *arena;
    Matrix x, d_y, gain, bias;
} Batch;

// Columns with different means and deviations
static Batch batch_new(int n, int c, float mean, uint64_t seed)
{
    Batch b = {.arena = arena_new()};
    Rng rng = rng_new(11, seed);
    b.x = random_normal(b.arena, &rng, n, c), b.d_y = random_normal(b.arena, &rng, n, c);
    b.gain = random_normal(b.arena, &rng, 1, c), b.bias = random_normal(b.arena, &rng, 1, c);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < c; j++) AT(b.x, i, j) = mean * (float)(j + 1) + (1.0f + (float)j) * AT(b.x, i, j);
    return b;
}

static double column_mean(Matrix x, int j)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) total += (double)AT(x, i, j);
    return total / x.rows;
}

static double column_variance(Matrix x, int j, int divisor)
{
    double mean = column_mean(x, j), total = 0.0;
    for (int i = 0; i < x.rows; i++) total += pow((double)AT(x, i, j) - mean, 2.0);
    return total / divisor;
}

// ---- TASK 11.1: a normalisation folded into the layer before it -----------------------------------------------

typedef struct {
    Arena *arena;
    Matrix weight, bias, mean, variance, gain, offset; // (K × C), then (1 × C)
} Layer;

static Layer layer_new(int k, int c, uint64_t seed)
{
    Layer l = {.arena = arena_new()};
    Rng rng = rng_new(111, seed);
    l.weight = random_normal(l.arena, &rng, k, c), l.bias = random_normal(l.arena, &rng, 1, c);
    l.mean = random_normal(l.arena, &rng, 1, c), l.variance = random_normal(l.arena, &rng, 1, c);
    l.gain = random_normal(l.arena, &rng, 1, c), l.offset = random_normal(l.arena, &rng, 1, c);
    for (int j = 0; j < c; j++) l.variance.data[j] = 0.2f + l.variance.data[j] * l.variance.data[j];
    return l;
}

static void expect_folded(Layer l, double tolerance)
{
    int k = l.weight.rows, c = l.weight.cols;
    double *weight = doubles(l.arena, matrix_size(l.weight)), *bias = doubles(l.arena, (size_t)c);
    for (int j = 0; j < c; j++) {
        double factor = (double)l.gain.data[j] / sqrt((double)l.variance.data[j] + 1e-5);
        for (int i = 0; i < k; i++) weight[i * c + j] = factor * (double)AT(l.weight, i, j);
        bias[j] = factor * ((double)l.bias.data[j] - (double)l.mean.data[j]) + (double)l.offset.data[j];
    }
    GIVEN(OUT("weight", l.weight), OUT("bias", l.bias), IN("mean", l.mean), IN("variance", l.variance),
          IN("gain", l.gain), IN("offset", l.offset));
    fold_norm(l.weight, l.bias, l.mean, l.variance, l.gain, l.offset);
    expect_close("weight", l.weight, weight, tolerance);
    expect_close("bias", l.bias, bias, tolerance);
    EXPECT_UNCHANGED();
    arena_free(l.arena);
}

START_TEST(one_channel_folded_by_hand)
{
    // Mean 3, deviation 2, gain 10, offset 1: 10 · ((4 x + 5) − 3) / 2 + 1 = 20 x + 11
    float weight_value[] = {4}, bias_value[] = {5}, values[] = {3, 4, 10, 1};
    Matrix weight = matrix_view(1, 1, weight_value), bias = matrix_view(1, 1, bias_value);
    Matrix mean = matrix_view(1, 1, values), variance = matrix_view(1, 1, values + 1);
    Matrix gain = matrix_view(1, 1, values + 2), offset = matrix_view(1, 1, values + 3);
    GIVEN(OUT("weight", weight), OUT("bias", bias), IN("mean", mean), IN("variance", variance),
          IN("gain", gain), IN("offset", offset));
    fold_norm(weight, bias, mean, variance, gain, offset);
    expect_within("weight", weight, ((double[]){20}), 1e-3);
    expect_within("bias", bias, ((double[]){11}), 1e-3);
}
END_TEST

START_TEST(each_channel_has_a_factor_of_its_own)
{
    float weight_values[] = {1, 1, 1, 1, 1, 1}, bias_values[] = {0, 0};
    float zeros[] = {0, 0}, variances[] = {1, 0.25f}, gains[] = {3, -1};
    Matrix weight = matrix_view(3, 2, weight_values), bias = matrix_view(1, 2, bias_values);
    Matrix none = matrix_view(1, 2, zeros), variance = matrix_view(1, 2, variances),
           gain = matrix_view(1, 2, gains);
    GIVEN(OUT("weight", weight), OUT("bias", bias), IN("mean", none), IN("variance", variance),
          IN("gain", gain), IN("offset", none));
    fold_norm(weight, bias, none, variance, gain, none);
    expect_within("weight", weight, ((double[]){3, -2, 3, -2, 3, -2}), 1e-3);
    expect_within("bias", bias, ((double[]){0, 0}), 1e-6);
}
END_TEST

START_TEST(layers_of_any_size_are_folded)
{
    static const int inputs[] = {1, 9, 2, 27, 5};
    for (int s = 0; s < 5; s++) expect_folded(layer_new(inputs[s], shapes[s][1], (uint64_t)s), 1e-4);
}
END_TEST

START_TEST(a_channel_that_is_never_wanted_becomes_its_offset)
{
    Layer l = layer_new(4, 3, 20);
    fill(l.gain, 0.0f);
    expect_folded(l, 1e-5);
}
END_TEST

START_TEST(a_variance_near_1e_5_tells_where_it_is_added)
{
    Layer l = layer_new(3, 2, 21);
    scale(l.variance, 2e-5f);
    expect_folded(l, 1e-3);
}
END_TEST

// ---- TASK 11.2: its derivative --------------------------------------------------------------------------------

// d y_k / d x_i = gain r ([i = k] − 1/N − n_i n_k / N): each output's derivative with each input, added up.
static void expect_gradient(Batch b, double tolerance)
{
    int n = b.x.rows, c = b.x.cols;
    Matrix d_x = rubbish(b.arena, n, c), d_gain = rubbish(b.arena, 1, c), d_bias = rubbish(b.arena, 1, c);
    double *right_x = doubles(b.arena, matrix_size(d_x)), *right_gain = doubles(b.arena, (size_t)c);
    double *right_bias = doubles(b.arena, (size_t)c), *normal = doubles(b.arena, (size_t)n);
    for (int j = 0; j < c; j++) {
        double r = 1.0 / sqrt(column_variance(b.x, j, n) + 1e-5), mean = column_mean(b.x, j);
        right_gain[j] = right_bias[j] = 0.0;
        for (int i = 0; i < n; i++) {
            normal[i] = ((double)AT(b.x, i, j) - mean) * r;
            right_gain[j] += (double)AT(b.d_y, i, j) * normal[i];
            right_bias[j] += (double)AT(b.d_y, i, j);
        }
        for (int i = 0; i < n; i++) {
            right_x[i * c + j] = 0.0;
            for (int k = 0; k < n; k++)
                right_x[i * c + j] += (double)AT(b.d_y, k, j) * (double)b.gain.data[j] * r *
                                      ((i == k ? 1.0 : 0.0) - (1.0 + normal[i] * normal[k]) / n);
        }
    }
    GIVEN(OUT("d_x", d_x), OUT("d_gain", d_gain), OUT("d_bias", d_bias), IN("d_y", b.d_y), IN("x", b.x),
          IN("gain", b.gain));
    normalise_channels_gradient(d_x, d_gain, d_bias, b.d_y, b.x, b.gain);
    expect_within("d_bias", d_bias, right_bias, tolerance * fmax(1.0, largest_size(right_bias, (size_t)c)));
    expect_within("d_gain", d_gain, right_gain, tolerance * fmax(1.0, largest_size(right_gain, (size_t)c)));
    expect_within("d_x", d_x, right_x, tolerance * fmax(1e-2, largest_size(right_x, matrix_size(d_x))));
    EXPECT_UNCHANGED();
    arena_free(b.arena);
}

START_TEST(the_derivative_of_a_column_computed_by_hand)
{
    // Mean 0, variance 2, n = {0, 1, −1} · √1.5; d_y = {1, 0, 0}: nothing along n, mean ⅓; r = 1/√2, gain 3.
    float x_values[] = {0, 1.7320508f, -1.7320508f}, d_y_values[] = {1, 0, 0}, gain_values[] = {3};
    float d_x_values[] = {7, 7, 7}, d_gain_values[] = {7}, d_bias_values[] = {7};
    Matrix d_x = matrix_view(3, 1, d_x_values), d_gain = matrix_view(1, 1, d_gain_values);
    Matrix d_bias = matrix_view(1, 1, d_bias_values), d_y = matrix_view(3, 1, d_y_values);
    Matrix x = matrix_view(3, 1, x_values), gain = matrix_view(1, 1, gain_values);
    GIVEN(OUT("d_x", d_x), OUT("d_gain", d_gain), OUT("d_bias", d_bias), IN("d_y", d_y), IN("x", x),
          IN("gain", gain));
    normalise_channels_gradient(d_x, d_gain, d_bias, d_y, x, gain);
    expect_within("d_x", d_x, ((double[]){1.4142136, -0.7071068, -0.7071068}), 2e-5);
    expect_within("d_gain", d_gain, ((double[]){0}), 1e-5);
    expect_within("d_bias", d_bias, ((double[]){1}), 1e-5);
}
END_TEST

START_TEST(the_derivative_is_right_for_any_size)
{
    for (int s = 0; s < SHAPES; s++)
        expect_gradient(batch_new(shapes[s][0], shapes[s][1], 0.3f, 20 + (uint64_t)s), 1e-3);
}
END_TEST

START_TEST(the_derivative_far_from_zero_keeps_three_digits)
{
    expect_gradient(batch_new(33, 3, 1000.0f, 60), 1e-3);
}
END_TEST

START_TEST(the_derivative_is_right_where_the_variance_is_near_1e_5)
{
    Batch b = batch_new(33, 2, 0.0f, 61);
    scale(b.x, 0.003f);
    expect_gradient(b, 1e-3);
}
END_TEST

// ---- TASK 11.3: running statistics ------------------------------------------------------------------------------

START_TEST(the_running_statistics_computed_by_hand)
{
    // The batch has mean 2 and variance 2 (with 1/(N − 1)); a quarter of it counts.
    float x_values[] = {1, 3}, mean_values[] = {10}, variance_values[] = {6};
    Matrix x = matrix_view(2, 1, x_values), mean = matrix_view(1, 1, mean_values);
    Matrix variance = matrix_view(1, 1, variance_values);
    GIVEN(OUT("mean", mean), OUT("variance", variance), IN("x", x), NUMBER("momentum", 0.25));
    follow_batch(mean, variance, x, 0.25f);
    expect_within("mean", mean, ((double[]){8}), 1e-5);
    expect_within("variance", variance, ((double[]){5}), 1e-5);
}
END_TEST

static void expect_running(int n, int c, float centre, float momentum)
{
    Batch b = batch_new(n, c, centre, 70 + (uint64_t)n);
    Matrix mean = matrix_copy(b.arena, b.gain), variance = matrix_copy(b.arena, b.bias);
    double *right_mean = doubles(b.arena, (size_t)c), *right_variance = doubles(b.arena, (size_t)c);
    for (int j = 0; j < c; j++) {
        variance.data[j] = fabsf(variance.data[j]);
        right_mean[j] =
            (1.0 - (double)momentum) * (double)mean.data[j] + (double)momentum * column_mean(b.x, j);
        right_variance[j] = (1.0 - (double)momentum) * (double)variance.data[j] +
                            (double)momentum * column_variance(b.x, j, n - 1);
    }
    GIVEN(OUT("mean", mean), OUT("variance", variance), IN("x", b.x), NUMBER("momentum", (double)momentum));
    follow_batch(mean, variance, b.x, momentum);
    expect_close("mean", mean, right_mean, 1e-4);
    expect_close("variance", variance, right_variance, 1e-3);
    EXPECT_UNCHANGED();
    arena_free(b.arena);
}

START_TEST(batches_of_any_size_are_followed)
{
    for (int s = 0; s < SHAPES; s++) expect_running(shapes[s][0], shapes[s][1], 0.5f, 0.1f);
    expect_running(5, 2, 0.5f, 1.0f);
    expect_running(5, 2, 0.5f, 0.0f);
}
END_TEST

START_TEST(batches_far_from_zero_are_followed) { expect_running(9, 2, 1000.0f, 0.5f); }
END_TEST

// ---- TASK 11.4: dropout of channels -----------------------------------------------------------------------------

START_TEST(two_images_of_two_pixels_by_hand)
{
    // A channel of an image is dropped when its number is below 0.5; at 0.5 it stays.
    float x_values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
          uniform_values[] = {0.1f, 0.9f, 0.5f, 0.6f, 0.0f, 0.4999f};
    Matrix x = matrix_view(4, 3, x_values), uniform = matrix_view(2, 3, uniform_values);
    GIVEN(OUT("x", x), IN("uniform", uniform), NUMBER("p", 0.5));
    drop_channels(x, uniform, 0.5f);
    expect_within("x", x, ((double[]){0, 4, 6, 0, 10, 12, 14, 0, 0, 20, 0, 0}), 1e-5);
}
END_TEST

START_TEST(channels_of_any_images_are_dropped_or_enlarged)
{
    static const float ps[] = {0.0f, 0.1f, 0.3f, 0.75f};
    static const int images[] = {1, 3, 2, 5}, pixels[] = {6, 1, 4, 9};
    for (int k = 0; k < 4; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_new(114, (uint64_t)k);
        Matrix x = random_normal(arena, &rng, images[k] * pixels[k], 5),
               uniform = matrix_new(arena, images[k], 5);
        fill_uniform(uniform, &rng, 0.0f, 1.0f);
        double *expected = doubles(arena, matrix_size(x));
        for (int i = 0; i < x.rows; i++)
            for (int j = 0; j < x.cols; j++)
                expected[i * x.cols + j] =
                    AT(uniform, i / pixels[k], j) < ps[k] ? 0.0 : (double)AT(x, i, j) / (1.0 - (double)ps[k]);
        GIVEN(OUT("x", x), IN("uniform", uniform), NUMBER("p", (double)ps[k]));
        drop_channels(x, uniform, ps[k]);
        expect_close("x", x, expected, 1e-5);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 11.5: an image moved -----------------------------------------------------------------------------------------

static void expect_moved(int dy, int dx, int flip, const double *expected)
{
    float values[] = {1, 2, 3, 4, 5, 6}, out_values[] = {7, 7, 7, 7, 7, 7};
    Matrix out = matrix_view(2, 3, out_values), image = matrix_view(2, 3, values);
    GIVEN(OUT("out", out), IN("image", image), NUMBER("dy", dy), NUMBER("dx", dx), NUMBER("flip", flip),
          NUMBER("background", -1));
    move_image(out, image, dy, dx, flip, -1.0f);
    expect_within("out", out, expected, 0.0);
    EXPECT_UNCHANGED();
}

START_TEST(an_image_that_stays_is_copied) { expect_moved(0, 0, 0, (double[]){1, 2, 3, 4, 5, 6}); }
END_TEST

START_TEST(an_image_goes_down_and_right)
{
    expect_moved(1, 0, 0, (double[]){-1, -1, -1, 1, 2, 3});
    expect_moved(0, 1, 0, (double[]){-1, 1, 2, -1, 4, 5});
    expect_moved(1, 2, 0, (double[]){-1, -1, -1, -1, -1, 1});
}
END_TEST

START_TEST(an_image_goes_up_and_left)
{
    expect_moved(-1, 0, 0, (double[]){4, 5, 6, -1, -1, -1});
    expect_moved(0, -1, 0, (double[]){2, 3, -1, 5, 6, -1});
}
END_TEST

START_TEST(the_flip_comes_before_the_shift)
{
    expect_moved(0, 0, 1, (double[]){3, 2, 1, 6, 5, 4});
    expect_moved(0, 1, 1, (double[]){-1, 3, 2, -1, 6, 5});
    expect_moved(-1, -1, 1, (double[]){5, 4, -1, -1, -1, -1});
}
END_TEST

START_TEST(an_image_can_leave_the_frame)
{
    expect_moved(2, 0, 0, (double[]){-1, -1, -1, -1, -1, -1});
    expect_moved(0, -3, 1, (double[]){-1, -1, -1, -1, -1, -1});
    expect_moved(-9, 9, 0, (double[]){-1, -1, -1, -1, -1, -1});
}
END_TEST

// clang-format off
EXERCISE("11-alexnet-to-resnet",
         {"11.1", 4, one_channel_folded_by_hand},
         {"11.1", 4, each_channel_has_a_factor_of_its_own},
         {"11.1", 4, layers_of_any_size_are_folded},
         {"11.1", 4, a_channel_that_is_never_wanted_becomes_its_offset},
         {"11.1", 4, a_variance_near_1e_5_tells_where_it_is_added},
         {"11.2", 5, the_derivative_of_a_column_computed_by_hand},
         {"11.2", 10, the_derivative_is_right_for_any_size},
         {"11.2", 5, the_derivative_far_from_zero_keeps_three_digits},
         {"11.2", 5, the_derivative_is_right_where_the_variance_is_near_1e_5},
         {"11.3", 5, the_running_statistics_computed_by_hand},
         {"11.3", 10, batches_of_any_size_are_followed},
         {"11.3", 5, batches_far_from_zero_are_followed},
         {"11.4", 5, two_images_of_two_pixels_by_hand},
         {"11.4", 10, channels_of_any_images_are_dropped_or_enlarged},
         {"11.5", 4, an_image_that_stays_is_copied},
         {"11.5", 4, an_image_goes_down_and_right},
         {"11.5", 4, an_image_goes_up_and_left},
         {"11.5", 4, the_flip_comes_before_the_shift},
         {"11.5", 4, an_image_can_leave_the_frame})
