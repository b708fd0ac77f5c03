// The exercises of chapter 27, style transfer: what each task is tested for, and its points. What the answers are compared with is
// computed here, in double and in another way than in solution.c where there is one.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

enum { MOST = 400, BEYOND = 8 };

// What lies behind the matrix that a call writes to
static void expect_untouched(const char *name, Matrix out, float before)
{
    const float *end = out.data + matrix_size(out);
    for (int i = 0; i < BEYOND; i++)
        ck_assert_msg(end[i] == before, "%s: written beyond its end, %d elements behind the last; with %s",
                      name, i + 1, given.text);
}

// ---- TASK 27.1: the Gram matrix -------------------------------------------------------------------------------

static void expect_gram(Matrix features)
{
    Arena *arena = arena_new();
    const int k = features.cols;
    Matrix gram = matrix_new(arena, k, k);
    fill(gram, 7.0f);
    double expected[MOST] = {0};
    for (int n = 0; n < features.rows; n++) // position by position: the sum of outer products
        for (int i = 0; i < k * k; i++)
            expected[i] +=
                (double)AT(features, n, i / k) * (double)AT(features, n, i % k) / (double)features.rows;
    GIVEN(OUT("gram", gram), IN("features", features));
    feature_gram(gram, features);
    expect_within("gram", gram, expected, 1e-4);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

START_TEST(two_features_at_three_positions)
{
    float values[] = {1, 0, 2, 3, 0, -3};
    Matrix features = matrix_view(3, 2, values);
    float out[4] = {9, 9, 9, 9};
    Matrix gram = matrix_view(2, 2, out);
    GIVEN(OUT("gram", gram), IN("features", features));
    feature_gram(gram, features);
    expect_within("gram", gram, ((double[]){5.0 / 3, 2, 2, 6}), 1e-5);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(many_shapes_have_their_gram_matrix)
{
    const int sizes[][2] = {{1, 1}, {1, 4}, {9, 1}, {5, 3}, {4, 7}};
    for (int s = 0; s < 5; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new((uint64_t)s, 27);
        Matrix features = matrix_new(arena, sizes[s][0], sizes[s][1]);
        fill_normal(features, &rng, 0.5f, 1.0f);
        expect_gram(features);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 27.2: its gradient ----------------------------------------------------------------------------------

static double weighed_gram(Matrix d_gram, const double *f, int rows)
{
    double total = 0.0;
    for (int j = 0; j < d_gram.rows; j++)
        for (int k = 0; k < d_gram.rows; k++)
            for (int n = 0; n < rows; n++)
                total += (double)AT(d_gram, j, k) * f[n * d_gram.rows + j] * f[n * d_gram.rows + k] / rows;
    return total;
}

// By central differences, which are exact for a function of degree two
static void expect_slope(Matrix d_gram, Matrix features)
{
    float out[MOST + BEYOND];
    for (int i = 0; i < MOST + BEYOND; i++) out[i] = -3.0f;
    Matrix d_features = matrix_view(features.rows, features.cols, out);
    double f[MOST] = {0}, expected[MOST] = {0};
    const int size = features.rows * features.cols;
    for (int i = 0; i < size; i++) f[i] = (double)features.data[i];
    for (int i = 0; i < size; i++) {
        f[i] += 0.5;
        const double above = weighed_gram(d_gram, f, features.rows);
        f[i] -= 1.0;
        expected[i] = above - weighed_gram(d_gram, f, features.rows);
        f[i] += 0.5;
    }
    GIVEN(OUT("d_features", d_features), IN("d_gram", d_gram), IN("features", features));
    gram_slope(d_features, d_gram, features);
    expect_within("d_features", d_features, expected, 1e-4);
    expect_untouched("d_features", d_features, -3.0f);
    EXPECT_UNCHANGED();
}

START_TEST(the_slope_of_one_product)
{
    float values[] = {2, 5, -1, 4}, slopes[] = {0, 1, 0, 0}; // gram(0, 1) alone
    expect_slope(matrix_view(2, 2, slopes), matrix_view(2, 2, values));
    float square[] = {3}, one[] = {1};
    expect_slope(matrix_view(1, 1, one), matrix_view(1, 1, square));
}
END_TEST

START_TEST(the_slope_of_many_products)
{
    const int sizes[][2] = {{1, 3}, {6, 2}, {4, 5}};
    for (int s = 0; s < 3; s++) {
        Arena *arena = arena_new();
        Rng rng = rng_new((uint64_t)s, 28);
        Matrix features = matrix_new(arena, sizes[s][0], sizes[s][1]),
               d_gram = matrix_new(arena, sizes[s][1], sizes[s][1]);
        fill_normal(features, &rng, 0.0f, 1.0f);
        fill_normal(d_gram, &rng, 0.0f, 1.0f);
        expect_slope(d_gram, features);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 27.3: filters ---------------------------------------------------------------------------------------

static void expect_filters(Matrix weight, const double *expected)
{
    GIVEN(OUT("weight", weight));
    blind_to_brightness(weight);
    expect_within("weight", weight, expected, 1e-5);
}

START_TEST(a_filter_of_two_taps)
{
    float values[] = {3, 5, 1, 1};
    expect_filters(matrix_view(2, 2, values), (double[]){sqrt(0.5), sqrt(0.5), -sqrt(0.5), -sqrt(0.5)});
}
END_TEST

START_TEST(each_column_for_itself)
{
    float values[] = {1, 0, 10, 2, 0, 10, 3, 6, 40, 6, 6, 20}; // means 3, 3, 20
    const double a = sqrt(14), b = 6, c = sqrt(600);
    expect_filters(matrix_view(4, 3, values), (double[]){-2 / a, -3 / b, -10 / c, -1 / a, -3 / b, -10 / c, 0,
                                                         3 / b, 20 / c, 3 / a, 3 / b, 0});
}
END_TEST

START_TEST(equal_elements_become_zeros)
{
    float values[] = {4, 1, 0.3f, 4, -1, 0.3f, 4, 0, 0.3f}, one[] = {5};
    expect_filters(matrix_view(3, 3, values), (double[]){0, sqrt(0.5), 0, 0, -sqrt(0.5), 0, 0, 0, 0});
    expect_filters(matrix_view(1, 1, one), (double[]){0});
}
END_TEST

// ---- TASK 27.4: luminance -------------------------------------------------------------------------------------

static void expect_colours(Matrix rgb, Matrix y, const double *expected)
{
    float values[9 + BEYOND];
    for (int i = 0; i < 9 + BEYOND; i++) values[i] = 9;
    Matrix out = matrix_view(rgb.rows, 3, values);
    GIVEN(OUT("out", out), IN("rgb", rgb), IN("y", y));
    with_luminance(out, rgb, y);
    expect_within("out", out, expected, 1e-5);
    expect_untouched("out", out, 9.0f);
    EXPECT_UNCHANGED();
}

START_TEST(all_colours_rise_alike)
{
    float rgb[] = {0.5f, 0.25f, 0.125f, 0.2f, 0.2f, 0.2f};
    float y[] = {0.4105f, 0.7f}; // 0.3105 + 0.1, 0.2 + 0.5
    expect_colours(matrix_view(2, 3, rgb), matrix_view(2, 1, y), (double[]){0.6, 0.35, 0.225, 0.7, 0.7, 0.7});
}
END_TEST

START_TEST(what_no_screen_shows_is_cut_off)
{
    float rgb[] = {1, 0, 0, 0, 0, 1, 1, 1, 1};
    float y[] = {0.5f, 0, 0}; // red has .299, blue .114
    expect_colours(matrix_view(3, 3, rgb), matrix_view(3, 1, y),
                   (double[]){1, 0.201, 0.201, 0, 0, 0.886, 0, 0, 0});
}
END_TEST

// ---- TASK 27.5: local patterns --------------------------------------------------------------------------------

static void expect_patterns(Matrix image, int height, int width, const double *expected)
{
    float values[256];
    for (int p = 0; p < 256; p++) values[p] = 5;
    Matrix frequencies = matrix_view(1, 256, values);
    GIVEN(OUT("frequencies", frequencies), IN("image", image), NUMBER("height", height),
          NUMBER("width", width));
    local_patterns(frequencies, image, height, width);
    expect_within("frequencies", frequencies, expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(each_neighbour_has_its_bit)
{
    const int places[8] = {0, 1, 2, 5, 8, 7, 6, 3}; // clockwise
    for (int k = 0; k < 8; k++) {
        float image[9] = {0, 0, 0, 0, 1, 0, 0, 0, 0};
        double expected[256] = {0};
        image[places[k]] = 2;
        expected[1 << k] = 1;
        expect_patterns(matrix_view(9, 1, image), 3, 3, expected);
    }
}
END_TEST

START_TEST(equal_neighbours_count)
{
    float plain[20];
    double expected[256] = {0};
    for (int i = 0; i < 20; i++) plain[i] = 0.5f;
    expected[255] = 1;
    expect_patterns(matrix_view(20, 1, plain), 4, 5, expected);
    expect_patterns(matrix_view(20, 1, plain), 5, 4, expected);
}
END_TEST

START_TEST(fractions_of_the_inner_pixels)
{
    float image[] = {1, 2, 3, 4, 5, 2, 3, 4,
                     5, 6, 3, 4, 5, 6, 0}; // 3 × 5, rising to the right and down but for the last
    double expected[256] = {0};
    expected[(1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6)] = 2.0 / 3;
    expected[(1 << 2) | (1 << 3) | (1 << 5) | (1 << 6)] = 1.0 / 3;
    expect_patterns(matrix_view(15, 1, image), 3, 5, expected);
}
END_TEST

// clang-format off
EXERCISE("27-style-transfer",
         {"27.1", 10, two_features_at_three_positions},
         {"27.1", 10, many_shapes_have_their_gram_matrix},
         {"27.2", 10, the_slope_of_one_product},
         {"27.2", 15, the_slope_of_many_products},
         {"27.3", 5, a_filter_of_two_taps},
         {"27.3", 10, each_column_for_itself},
         {"27.3", 5, equal_elements_become_zeros},
         {"27.4", 5, all_colours_rise_alike},
         {"27.4", 10, what_no_screen_shows_is_cut_off},
         {"27.5", 5, each_neighbour_has_its_bit},
         {"27.5", 5, equal_neighbours_count},
         {"27.5", 10, fractions_of_the_inner_pixels})
