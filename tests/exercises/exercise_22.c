// The exercises of chapter 22, ViT and Swin: what each task is tested for, and its points. What the answers are
// compared with is written down, or computed here in the plainest way.
#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

enum { MOST = 1024 };

// ---- TASK 22.1: patches ---------------------------------------------------------------------------------------

static void expect_patches(Matrix image, int height, int width, int patch, const double *expected)
{
    float values[MOST] = {0};
    const int count = height / patch * (width / patch);
    Matrix patches = matrix_view(count, patch * patch * image.cols, values);
    fill(patches, 7.0f);
    GIVEN(OUT("patches", patches), IN("image", image), NUMBER("height", height), NUMBER("width", width),
          NUMBER("patch", patch));
    patches_of_colours(patches, image, height, width, patch);
    expect_within("patches", patches, expected, 0.0);
    EXPECT_UNCHANGED();
}

START_TEST(two_patches_of_four_pixels)
{
    float image[] = {1, 2, 3, 4, 5, 6, 7, 8};
    expect_patches(matrix_view(8, 1, image), 2, 4, 2, (double[]){1, 2, 5, 6, 3, 4, 7, 8});
    expect_patches(matrix_view(8, 1, image), 4, 2, 2, (double[]){1, 2, 3, 4, 5, 6, 7, 8});
    expect_patches(matrix_view(8, 1, image), 2, 4, 1, (double[]){1, 2, 3, 4, 5, 6, 7, 8});
}
END_TEST

START_TEST(channels_of_a_pixel_stand_together)
{
    float image[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60, 7, 70, 8, 80};
    expect_patches(matrix_view(8, 2, image), 2, 4, 2,
                   (double[]){1, 10, 2, 20, 5, 50, 6, 60, 3, 30, 4, 40, 7, 70, 8, 80});
}
END_TEST

// 6 × 9 pixels of three channels in patches of 3 × 3: what pixel, what channel
START_TEST(many_patches)
{
    float image[6 * 9 * 3] = {0};
    double expected[6 * 9 * 3] = {0};
    int n = 0;
    for (int i = 0; i < 6 * 9 * 3; i++) image[i] = (float)i;
    for (int top = 0; top < 6; top += 3)
        for (int left = 0; left < 9; left += 3)
            for (int y = top; y < top + 3; y++)
                for (int x = left; x < left + 3; x++)
                    for (int c = 0; c < 3; c++) expected[n++] = (y * 9 + x) * 3 + c;
    expect_patches(matrix_view(54, 3, image), 6, 9, 3, expected);
}
END_TEST

// ---- TASK 22.2: where tokens go -------------------------------------------------------------------------------

static void expect_places(int height, int width, int window, int shift, const double *expected)
{
    float values[MOST] = {0};
    Matrix places = matrix_view(height, width, values);
    fill(places, -1.0f);
    GIVEN(OUT("places", places), NUMBER("height", height), NUMBER("width", width), NUMBER("window", window),
          NUMBER("shift", shift));
    places_in_windows(places, height, width, window, shift);
    expect_within("places", places, expected, 0.0);
    EXPECT_UNCHANGED();
}

START_TEST(windows_one_behind_the_other)
{
    expect_places(2, 4, 2, 0, (double[]){0, 1, 4, 5, 2, 3, 6, 7});
    expect_places(4, 2, 2, 0, (double[]){0, 1, 2, 3, 4, 5, 6, 7});
    expect_places(4, 4, 2, 0, (double[]){0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15});
}
END_TEST

START_TEST(rolled_up_and_left)
{
    expect_places(2, 4, 2, 1, (double[]){7, 2, 3, 6, 5, 0, 1, 4});
    expect_places(3, 3, 3, 1, (double[]){8, 6, 7, 2, 0, 1, 5, 3, 4});
    expect_places(3, 3, 3, 2, (double[]){4, 5, 3, 7, 8, 6, 1, 2, 0});
}
END_TEST

// Done the other way round: take the tokens window by window, and note their numbers
START_TEST(every_token_has_a_place)
{
    const int cases[][4] = {{6, 9, 3, 1}, {8, 4, 4, 2}, {6, 4, 2, 1}, {10, 5, 5, 4}};
    for (int n = 0; n < 4; n++) {
        const int height = cases[n][0], width = cases[n][1], window = cases[n][2], shift = cases[n][3];
        double expected[MOST] = {0};
        int number = 0;
        for (int top = 0; top < height; top += window)
            for (int left = 0; left < width; left += window)
                for (int y = top; y < top + window; y++)
                    for (int x = left; x < left + window; x++)
                        expected[(y + shift) % height * width + (x + shift) % width] = number++;
        expect_places(height, width, window, shift, expected);
    }
}
END_TEST

// ---- TASK 22.3: displacements ---------------------------------------------------------------------------------

static void expect_index(int height, int width, const double *expected)
{
    static float values[MOST * 4];
    Matrix index = matrix_view(height * width, height * width, values);
    fill(index, -1.0f);
    GIVEN(OUT("index", index), NUMBER("height", height), NUMBER("width", width));
    relative_index(index, height, width);
    expect_within("index", index, expected, 0.0);
    EXPECT_UNCHANGED();
}

START_TEST(one_row_or_column)
{
    expect_index(1, 1, (double[]){0});
    expect_index(1, 3, (double[]){2, 3, 4, 1, 2, 3, 0, 1, 2});
    expect_index(2, 1, (double[]){1, 2, 0, 1});
}
END_TEST

START_TEST(down_and_right) { expect_index(2, 2, (double[]){4, 5, 7, 8, 3, 4, 6, 7, 1, 2, 4, 5, 0, 1, 3, 4}); }
END_TEST

// All displacements are listed as the table has them, and looked for
START_TEST(every_pair_finds_its_number)
{
    static double expected[MOST * 4];
    const int sizes[][2] = {{3, 2}, {2, 4}, {4, 4}};
    for (int s = 0; s < 3; s++) {
        const int height = sizes[s][0], width = sizes[s][1], tokens = height * width;
        for (int i = 0; i < tokens; i++)
            for (int j = 0; j < tokens; j++) {
                int number = 0, found = -1;
                for (int down = 1 - height; down < height; down++)
                    for (int right = 1 - width; right < width; right++, number++)
                        if (i / width + down == j / width && i % width + right == j % width) found = number;
                expected[i * tokens + j] = found;
            }
        expect_index(height, width, expected);
    }
}
END_TEST

// ---- TASK 22.4: who may look at whom --------------------------------------------------------------------------

static int parted(int a, int b, int window, int shift) // by a boundary, along one axis
{
    for (int boundary = shift; boundary < 64; boundary += window)
        if ((a < boundary) != (b < boundary)) return 1;
    return 0;
}

static void expect_mask(int height, int width, int window, int shift)
{
    static float values[MOST * 4];
    static double expected[MOST * 4];
    const int tokens = height * width;
    for (int i = 0; i < tokens; i++)
        for (int j = 0; j < tokens; j++)
            expected[i * tokens + j] =
                !parted(i / width, j / width, window, shift) && !parted(i % width, j % width, window, shift);
    Matrix may = matrix_view(tokens, tokens, values);
    fill(may, 7.0f);
    GIVEN(OUT("may", may), NUMBER("height", height), NUMBER("width", width), NUMBER("window", window),
          NUMBER("shift", shift));
    may_look(may, height, width, window, shift);
    expect_within("may", may, expected, 0.0);
    EXPECT_UNCHANGED();
}

START_TEST(windows_without_shift)
{
    expect_mask(1, 4, 2, 0);
    expect_mask(4, 4, 2, 0);
    expect_mask(6, 3, 3, 0);
}
END_TEST

START_TEST(windows_with_shift)
{
    expect_mask(1, 4, 2, 1);
    expect_mask(4, 4, 2, 1);
    expect_mask(6, 6, 3, 1);
    expect_mask(6, 6, 3, 2);
}
END_TEST

START_TEST(grids_that_windows_do_not_divide)
{
    expect_mask(5, 7, 3, 1);
    expect_mask(3, 8, 5, 3);
    expect_mask(7, 2, 4, 0);
}
END_TEST

// ---- TASK 22.5: cost ------------------------------------------------------------------------------------------

static void expect_cost(int side, int patch, int features, int hidden, int window, double expected)
{
    GIVEN(NUMBER("side", side), NUMBER("patch", patch), NUMBER("features", features),
          NUMBER("hidden", hidden), NUMBER("window", window));
    expect_number("millions", block_cost(side, patch, features, hidden, window), expected, 1e-5 * expected);
    EXPECT_UNCHANGED();
}

START_TEST(a_block_of_windows)
{
    expect_cost(28, 2, 32, 64, 7, 2.220288); // 196 · (8192 + 64 · 49)
    expect_cost(224, 4, 96, 384, 7, 376.32); // 3136 · (110592 + 192 · 49)
    expect_cost(8, 4, 10, 5, 2, 0.00232);    // 4 · (500 + 80)
}
END_TEST

START_TEST(a_block_where_all_see_all)
{
    expect_cost(28, 7, 64, 128, 0, 0.594048); // 17 · (32768 + 128 · 17)
    expect_cost(28, 4, 64, 256, 0, 2.7776);   // 50 · (49152 + 128 · 50)
    expect_cost(224, 16, 768, 3072, 0, 1453.95456);
}
END_TEST

// clang-format off
EXERCISE("22-vit-swin",
         {"22.1", 5, two_patches_of_four_pixels},
         {"22.1", 5, channels_of_a_pixel_stand_together},
         {"22.1", 10, many_patches},
         {"22.2", 5, windows_one_behind_the_other},
         {"22.2", 5, rolled_up_and_left},
         {"22.2", 10, every_token_has_a_place},
         {"22.3", 5, one_row_or_column},
         {"22.3", 5, down_and_right},
         {"22.3", 10, every_pair_finds_its_number},
         {"22.4", 5, windows_without_shift},
         {"22.4", 10, windows_with_shift},
         {"22.4", 5, grids_that_windows_do_not_divide},
         {"22.5", 10, a_block_of_windows},
         {"22.5", 10, a_block_where_all_see_all})
