// The exercises of chapter 8, a function hidden in a network: what each task is tested for, and its points. What the answers are
// compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

enum { MOST = 400 };

// ---- TASK 8.1: likeness in decibels ---------------------------------------------------------------------------

static void expect_ratio(Matrix a, Matrix b, float peak, double expected)
{
    GIVEN(IN("a", a), IN("b", b), NUMBER("peak", (double)peak));
    expect_number("decibels", peak_ratio(a, b, peak), expected, 1e-3);
    EXPECT_UNCHANGED();
}

START_TEST(a_tenth_of_the_peak_is_20_decibels)
{
    float first[] = {0, 0.5f, 1, 0.25f}, second[] = {0.1f, 0.4f, 0.9f, 0.35f};
    expect_ratio(matrix_view(2, 2, first), matrix_view(2, 2, second), 1, 20);
    float bytes[] = {0, 255, 100}, others[] = {51, 204, 49};
    expect_ratio(matrix_view(1, 3, bytes), matrix_view(1, 3, others), 255, -20 * log10(0.2));
    float black[] = {0, 0}, white[] = {2, 2};
    expect_ratio(matrix_view(2, 1, black), matrix_view(2, 1, white), 2, 0);
}
END_TEST

START_TEST(all_elements_count_alike)
{
    float first[] = {0, 0, 0, 0, 0, 0}, second[] = {3, 0, 0, 0, 0, 0};
    for (int cols = 1; cols <= 6; cols += cols == 3 ? 3 : 1)
        expect_ratio(matrix_view(6 / cols, cols, first), matrix_view(6 / cols, cols, second), 7,
                     10 * log10(49.0 * 6 / 9));
}
END_TEST

START_TEST(no_difference_has_no_end)
{
    float values[] = {0.25f, 4, -1};
    Matrix a = matrix_view(1, 3, values);
    GIVEN(IN("a", a), NUMBER("peak", 1.0));
    const float ratio = peak_ratio(a, a, 1);
    ck_assert_msg(isinf(ratio) && ratio > 0, "decibels: got %g, expected INFINITY; with b = a, %s",
                  (double)ratio, given.text);
}
END_TEST

// ---- TASK 8.2: octaves ----------------------------------------------------------------------------------------

START_TEST(one_coordinate_in_two_octaves)
{
    float place[] = {0.25f}, values[] = {9, 9, 9, 9};
    Matrix x = matrix_view(1, 1, place), out = matrix_view(1, 4, values);
    GIVEN(OUT("out", out), IN("x", x), NUMBER("octaves", 2));
    octave_features(out, x, 2);
    expect_within("out", out, ((double[]){sqrt(0.5), sqrt(0.5), 1, 0}), 1e-5);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(many_coordinates_in_their_columns)
{
    const int sizes[][3] = {{1, 2, 1}, {3, 2, 3}, {2, 3, 4}, {5, 1, 5}};
    for (int s = 0; s < 4; s++) {
        Arena *arena = arena_new();
        const int rows = sizes[s][0], d = sizes[s][1], octaves = sizes[s][2];
        Rng rng = rng_new((uint64_t)s, 8);
        Matrix x = matrix_new(arena, rows, d), out = matrix_new(arena, rows, 2 * d * octaves);
        fill_uniform(x, &rng, -1.0f, 1.0f);
        double expected[MOST];
        for (int n = 0; n < rows; n++)
            for (int i = 0; i < d; i++)
                for (int k = 0; k < octaves; k++) {
                    const double angle = pow(2, k) * acos(-1.0) * (double)AT(x, n, i);
                    expected[n * 2 * d * octaves + 2 * (i * octaves + k)] = sin(angle);
                    expected[n * 2 * d * octaves + 2 * (i * octaves + k) + 1] = cos(angle);
                }
        GIVEN(OUT("out", out), IN("x", x), NUMBER("octaves", octaves));
        octave_features(out, x, octaves);
        expect_within("out", out, expected, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 8.3: between the pixels -----------------------------------------------------------------------------

static void expect_colour(Matrix image, int height, int width, float down, float across,
                          const double *expected)
{
    float values[4] = {7, 7, 7, 7};
    Matrix colour = matrix_view(1, image.cols, values);
    GIVEN(OUT("colour", colour), IN("image", image), NUMBER("height", height), NUMBER("width", width),
          NUMBER("down", (double)down), NUMBER("across", (double)across));
    bilinear_colour(colour, image, height, width, down, across);
    expect_within("colour", colour, expected, 1e-4);
    EXPECT_UNCHANGED();
}

// Two rows of three pixels, one colour
static float six[] = {0, 10, 20, 100, 110, 140};

START_TEST(on_a_pixel_it_is_that_pixel)
{
    Matrix image = matrix_view(6, 1, six);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            expect_colour(image, 2, 3, (float)i, (float)j, (double[]){(double)six[3 * i + j]});
}
END_TEST

START_TEST(between_them_the_near_ones_count_more)
{
    Matrix image = matrix_view(6, 1, six);
    expect_colour(image, 2, 3, 0, 0.25f, (double[]){2.5});
    expect_colour(image, 2, 3, 0.25f, 0, (double[]){25});
    expect_colour(image, 2, 3, 0.5f, 1.5f, (double[]){70});
    expect_colour(image, 2, 3, 0.75f, 1.25f, (double[]){0.25 * 12.5 + 0.75 * 117.5});
    float colours[] = {0, 8, 4, 0, 2, 2, 6, 4}; // 2 × 2 pixels of two
    expect_colour(matrix_view(4, 2, colours), 2, 2, 0.5f, 0.25f,
                  (double[]){0.5 * 1 + 0.5 * 3, 0.5 * 6 + 0.5 * 2.5});
}
END_TEST

START_TEST(beyond_the_edge_the_outermost_go_on)
{
    Matrix image = matrix_view(6, 1, six);
    expect_colour(image, 2, 3, -3, -0.5f, (double[]){0});
    expect_colour(image, 2, 3, 0.5f, 2.5f, (double[]){80});
    expect_colour(image, 2, 3, 9, 1.5f, (double[]){125});
    expect_colour(image, 2, 3, 0, 3.75f, (double[]){20});
    float one[] = {5, 6};
    expect_colour(matrix_view(1, 2, one), 1, 1, 0.25f, -0.25f, (double[]){5, 6});
}
END_TEST

// ---- TASK 8.4: a polygon --------------------------------------------------------------------------------------

static void expect_distance(Matrix corners, float x, float y, double expected)
{
    GIVEN(IN("corners", corners), NUMBER("x", (double)x), NUMBER("y", (double)y));
    expect_number("distance", polygon_distance(corners, x, y), expected, 1e-4);
    EXPECT_UNCHANGED();
}

START_TEST(a_square_from_all_sides)
{
    float square[] = {0, 0, 4, 0, 4, 4, 0, 4};
    Matrix corners = matrix_view(4, 2, square);
    expect_distance(corners, 2, 3, -1);
    expect_distance(corners, 1, 2, -1);
    expect_distance(corners, 6, 2, 2);
    expect_distance(corners, -3, 1, 3);
    expect_distance(corners, 7, 8, 5); // from a corner
    expect_distance(corners, -1, -1, sqrt(2));
    expect_distance(corners, 4, 3, 0);
}
END_TEST

START_TEST(a_shape_with_a_notch)
{
    float shape[] = {0, 0, 6, 0, 6, 6, 3, 2, 0, 6}; // a V is cut out from above
    Matrix corners = matrix_view(5, 2, shape);
    expect_distance(corners, 3, 5, 1.8); // in the notch, 3 above its point
    expect_distance(corners, 3, 1, -1);
    expect_distance(corners, 0.5f, 4, -0.5);
    expect_distance(corners, -1, 4, 1);              // the ray crosses four edges
    float turned[] = {0, 6, 3, 2, 6, 6, 6, 0, 0, 0}; // the other way round
    expect_distance(matrix_view(5, 2, turned), 3, 1, -1);
    expect_distance(matrix_view(5, 2, turned), 3, 5, 1.8);
}
END_TEST

START_TEST(beside_a_slanted_edge)
{
    float slanted[] = {0, 1, 8, 5, 0, 5};
    Matrix corners = matrix_view(3, 2, slanted);
    expect_distance(corners, 1.7f, 2, -0.3 / sqrt(5));
    expect_distance(corners, 2.5f, 2, 0.5 / sqrt(5));
    expect_distance(corners, 6.3f, 4, 0.3 / sqrt(5));
}
END_TEST

START_TEST(a_circle_of_many_corners)
{
    float circle[2 * 96];
    for (int k = 0; k < 96; k++)
        circle[2 * k] = 2 + 3 * cosf(0.06544985f * (float)k),
                   circle[2 * k + 1] = 3 * sinf(0.06544985f * (float)k) - 1;
    Matrix corners = matrix_view(96, 2, circle);
    const float places[][2] = {{2, 0.5f}, {9, -1.1f}, {0, -3}, {2.5f, 8}, {-4, -1.1f}};
    for (int p = 0; p < 5; p++) {
        const double dx = (double)places[p][0] - 2, dy = (double)places[p][1] + 1;
        GIVEN(IN("corners", corners), NUMBER("x", (double)places[p][0]), NUMBER("y", (double)places[p][1]));
        expect_number("distance", polygon_distance(corners, places[p][0], places[p][1]),
                      sqrt(dx * dx + dy * dy) - 3, 5e-3);
    }
}
END_TEST

// clang-format off
EXERCISE("08-implicit-representation",
         {"8.1", 10, a_tenth_of_the_peak_is_20_decibels},
         {"8.1", 5, all_elements_count_alike},
         {"8.1", 5, no_difference_has_no_end},
         {"8.2", 10, one_coordinate_in_two_octaves},
         {"8.2", 15, many_coordinates_in_their_columns},
         {"8.3", 5, on_a_pixel_it_is_that_pixel},
         {"8.3", 10, between_them_the_near_ones_count_more},
         {"8.3", 10, beyond_the_edge_the_outermost_go_on},
         {"8.4", 10, a_square_from_all_sides},
         {"8.4", 5, a_shape_with_a_notch},
         {"8.4", 5, beside_a_slanted_edge},
         {"8.4", 10, a_circle_of_many_corners})
