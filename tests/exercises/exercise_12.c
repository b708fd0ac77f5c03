// The exercises of chapter 12, what a backbone can do: what each task is tested for, and its points. What the answers are compared with
// was computed by hand.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

// ---- TASK 12.1: intersection over union ------------------------------------------------------------------------

static void expect_overlap(const float a[4], const float b[4], double expected)
{
    float first[4], second[4], value = 9;
    memcpy(first, a, sizeof first);
    memcpy(second, b, sizeof second);
    Matrix one = matrix_view(1, 4, first), other = matrix_view(1, 4, second), out = matrix_view(1, 1, &value);
    GIVEN(OUT("out", out), IN("a", one), IN("b", other));
    overlap_table(out, one, other);
    expect_within("out", out, &expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(what_two_boxes_share)
{
    const float square[4] = {0, 0, 4, 4}, moved[4] = {0, 1, 4, 5}, inside[4] = {1, 1, 3, 2},
                corner[4] = {3, 2, 7, 10};
    expect_overlap(square, square, 1);
    expect_overlap(square, moved, 12.0 / 20);
    expect_overlap(square, inside, 2.0 / 16);
    expect_overlap(square, corner, 2.0 / (16 + 32 - 2));
    expect_overlap(corner, square, 2.0 / (16 + 32 - 2));
    const float halves[4] = {0.5f, 0.5f, 1.5f, 1}, whole[4] = {0, 0, 2, 2};
    expect_overlap(halves, whole, 0.5 / 4);
}
END_TEST

START_TEST(nothing_in_common)
{
    const float square[4] = {2, 2, 4, 4}, beside[4] = {2, 4, 4, 6}, below[4] = {4, 2, 6, 4},
                corner[4] = {4, 4, 6, 6};
    const float far[4] = {8, 8, 9, 9}, left[4] = {2, -3, 4, 1}, line[4] = {3, 2, 3, 4},
                point[4] = {3, 3, 3, 3};
    const float turned[4] = {4, 4, 2, 2};
    expect_overlap(square, beside, 0);
    expect_overlap(square, below, 0);
    expect_overlap(square, corner, 0);
    expect_overlap(square, far, 0); // apart in both directions
    expect_overlap(far, square, 0);
    expect_overlap(square, left, 0);
    expect_overlap(square, line, 0);
    expect_overlap(line, line, 0);
    expect_overlap(point, point, 0);
    expect_overlap(square, turned, 0);
    expect_overlap(turned, turned, 0);
}
END_TEST

START_TEST(every_pair_in_its_place)
{
    float a[] = {0, 0, 2, 2, 0, 0, 2, 4}, b[] = {0, 0, 2, 2, 0, 2, 2, 4, 0, 1, 2, 3},
          values[6] = {9, 9, 9, 9, 9, 9};
    Matrix first = matrix_view(2, 4, a), second = matrix_view(3, 4, b), out = matrix_view(2, 3, values);
    GIVEN(OUT("out", out), IN("a", first), IN("b", second));
    overlap_table(out, first, second);
    expect_within("out", out, ((double[]){1, 0, 1.0 / 3, 0.5, 0.5, 0.5}), 1e-5);
    EXPECT_UNCHANGED();
}
END_TEST

// ---- TASK 12.2: non-maximum suppression ------------------------------------------------------------------------

static void expect_kept(Matrix boxes, Matrix scores, float threshold, const double *expected)
{
    float values[16];
    for (int i = 0; i < 16; i++) values[i] = -3; // also behind the last: nothing may happen there
    Matrix kept = matrix_view(boxes.rows, 1, values);
    int stay = 0;
    for (int i = 0; i < boxes.rows; i++) stay += expected[i] > 0;
    GIVEN(OUT("kept", kept), IN("boxes", boxes), IN("scores", scores),
          NUMBER("threshold", (double)threshold));
    const int got = keep_boxes(kept, boxes, scores, threshold);
    expect_within("kept", kept, expected, 0);
    expect_number("how many stay", got, stay, 0);
    expect_number("the number behind kept", values[boxes.rows], -3, 0);
    EXPECT_UNCHANGED();
}

// Four boxes 4 wide and 1 high, each moved by 1: neighbours share 3/5, every second 2/6, the ends 1/7
// (and a fifth, as long as there are four, that is none of them)
static float row[] = {0, 0, 1, 4, 0, 1, 1, 5, 0, 2, 1, 6, 0, 3, 1, 7, 0, 0, 1, 4};

START_TEST(who_has_gone_suppresses_nobody)
{
    Matrix boxes = matrix_view(4, 4, row);
    float falling[] = {0.9f, 0.8f, 0.7f, 0.6f}, middle[] = {0.5f, 0.9f, 0.1f, 0.7f}, low[] = {0, -1, -3, -2};
    expect_kept(boxes, matrix_view(4, 1, falling), 0.5f, (double[]){1, 0, 1, 0});
    expect_kept(boxes, matrix_view(4, 1, middle), 0.5f, (double[]){0, 1, 0, 1});
    expect_kept(boxes, matrix_view(4, 1, low), 0.5f, (double[]){1, 0, 0, 1});
    expect_kept(boxes, matrix_view(4, 1, falling), 0.3f, (double[]){1, 0, 0, 1});
    expect_kept(boxes, matrix_view(4, 1, falling), 0.1f, (double[]){1, 0, 0, 0});
    expect_kept(boxes, matrix_view(4, 1, falling), 0.7f, (double[]){1, 1, 1, 1});
}
END_TEST

START_TEST(equal_scores_and_equal_boxes)
{
    float same[] = {0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 2, 2, 5, 5, 7, 7}, ones[] = {1, 1, 1, 1},
          last[] = {1, 1, 2, 1};
    expect_kept(matrix_view(4, 4, same), matrix_view(4, 1, ones), 0.5f, (double[]){1, 0, 0, 1});
    expect_kept(matrix_view(4, 4, same), matrix_view(4, 1, last), 0.5f, (double[]){0, 0, 1, 1});
    expect_kept(matrix_view(4, 4, row), matrix_view(4, 1, ones), 0.5f, (double[]){1, 0, 1, 0});
    float half[] = {0, 0, 2, 2, 0, 0, 2, 4}; // exactly 1/2 is not above it
    expect_kept(matrix_view(2, 4, half), matrix_view(2, 1, ones), 0.5f, (double[]){1, 1});
    expect_kept(matrix_view(1, 4, half), matrix_view(1, 1, ones), 0.5f, (double[]){1});
    float empty[] = {1, 1, 1, 1, 1, 1, 1, 1}; // empty boxes agree with nobody
    expect_kept(matrix_view(2, 4, empty), matrix_view(2, 1, ones), 0, (double[]){1, 1});
}
END_TEST

// ---- TASK 12.3: mean average precision -------------------------------------------------------------------------

static void expect_precision(Matrix found, Matrix truth, int classes, float threshold, double expected)
{
    GIVEN(IN("found", found), IN("truth", truth), NUMBER("classes", classes),
          NUMBER("threshold", (double)threshold));
    expect_number("mean precision", mean_precision(found, truth, classes, threshold), expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(one_class_down_the_list)
{
    float truth[] = {0, 0, 0,  0, 4, 4,  0,  0,  0,
                     8, 4, 12, 0, 0, 20, 20, 24, 24}; // two in image 0, and one beyond
    float found[] = {0, 0, 0.6f, 0, 8, 4, 12, 0, 0, 0.9f, 0, 0, 4, 4, 0, 0, 0.7f, 20, 20, 24, 24};
    Matrix there = matrix_view(2, 6, truth);
    expect_precision(matrix_view(3, 7, found), there, 1, 0.5f, 0.5 * 1 + 0.5 * 2 / 3);
    expect_precision(matrix_view(1, 7, found), there, 1, 0.5f, 0.5);
    expect_precision(matrix_view(1, 7, found + 14), there, 1, 0.5f, 0);
    found[2] = 1; // the other one comes first
    expect_precision(matrix_view(3, 7, found), there, 1, 0.5f, 1);
    found[16] = 2; // the wrong one first of all: 0, 1/2, 2/3, of which the last is the largest
    expect_precision(matrix_view(3, 7, found), there, 1, 0.5f, 2.0 / 3);
}
END_TEST

START_TEST(found_twice_is_wrong_once)
{
    float truth[] = {0, 0, 0, 0, 4, 4, 0, 0, 0, 1, 4, 5}; // they share 12/20 with each other
    float found[] = {0, 0, 0.9f, 0, 0, 4, 4, 0, 0, 0.8f, 0, 0, 4, 4, 0, 0, 0.7f, 0, 1, 4, 5};
    expect_precision(matrix_view(3, 7, found), matrix_view(2, 6, truth), 1, 0.5f, 0.5 + 0.5 * 2 / 3);
    expect_precision(matrix_view(2, 7, found), matrix_view(2, 6, truth), 1, 0.5f, 0.5);
    float half[] = {0, 0, 0.9f, 0, 0, 4, 8}; // exactly the threshold is enough
    expect_precision(matrix_view(1, 7, half), matrix_view(1, 6, truth), 1, 0.5f, 1);
    expect_precision(matrix_view(1, 7, half), matrix_view(1, 6, truth), 1, 0.75f, 0);
    float ties[] = {0, 0, 0.5f, 9, 9, 10, 10,
                    0, 0, 0.5f, 0, 0, 4,  4}; // of equal scores the first comes first
    expect_precision(matrix_view(2, 7, ties), matrix_view(1, 6, truth), 1, 0.5f, 0.5);
}
END_TEST

START_TEST(of_equally_near_ones_the_first)
{
    float truth[] = {0, 0, 0, 0, 4, 4, 0, 0, 0, 2, 4, 6};
    float found[] = {0, 0, 0.9f, 0, 1, 4,    5, 0, 0, 0.8f, 0,
                     0, 4, 4,    0, 0, 0.7f, 0, 2, 4, 6}; // the first is in the middle
    expect_precision(matrix_view(2, 7, found), matrix_view(2, 6, truth), 1, 0.5f, 0.5);
    expect_precision(matrix_view(3, 7, found), matrix_view(2, 6, truth), 1, 0.5f, 0.5 + 0.5 * 2 / 3);
}
END_TEST

START_TEST(classes_and_images_apart)
{
    float truth[] = {0, 0, 0, 0, 4, 4, 2, 0, 0, 0, 4, 4, 2, 1, 0, 0, 4, 4};
    float found[] = {2, 0, 0.9f, 0, 0, 4, 4, 2, 0, 0.8f, 0, 0, 4, 4,
                     1, 0, 0.7f, 0, 0, 4, 4, 3, 1, 0.6f, 0, 0, 4, 4};
    Matrix there = matrix_view(3, 6, truth);
    expect_precision(matrix_view(4, 7, found), there, 4, 0.5f, (0 + 0.5) / 2); // 1 and 3 have no true box
    expect_precision(matrix_view(4, 7, found), there, 3, 0.5f, (0 + 0.5) / 2);
    expect_precision(matrix_view(4, 7, found), there, 2, 0.5f, 0); // class 2 is not asked for
    found[8] = 1;                                                  // the second one is in image 1
    expect_precision(matrix_view(4, 7, found), there, 4, 0.5f, (0 + 1.0) / 2);
    found[14] = 0;
    expect_precision(matrix_view(4, 7, found), there, 4, 0.5f, 1);
}
END_TEST

// ---- TASK 12.4: mean IoU ---------------------------------------------------------------------------------------

static void expect_mean(Matrix truth, Matrix called, int classes, double expected)
{
    GIVEN(IN("truth", truth), IN("called", called), NUMBER("classes", classes));
    expect_number("mean overlap", mean_overlap(truth, called, classes), expected, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(each_class_counts_alike)
{
    float truth[] = {0, 0, 0, 0, 1, 1, 2, 2}, called[] = {0, 0, 0, 1, 1, 1, 2, 0};
    expect_mean(matrix_view(8, 1, truth), matrix_view(8, 1, called), 3, (3.0 / 5 + 2.0 / 3 + 1.0 / 2) / 3);
    expect_mean(matrix_view(8, 1, truth), matrix_view(8, 1, truth), 3, 1);
    float zeros[8] = {0};
    expect_mean(matrix_view(8, 1, truth), matrix_view(8, 1, zeros), 3, 0.5 / 3);
}
END_TEST

START_TEST(absent_classes)
{
    float truth[] = {0, 0, 2, 2}, called[] = {0, 0, 2, 4};
    expect_mean(matrix_view(4, 1, truth), matrix_view(4, 1, truth), 7, 1);
    expect_mean(matrix_view(4, 1, truth), matrix_view(4, 1, called), 7,
                (1 + 0.5 + 0) / 3); // 4 is called, and not there
    expect_mean(matrix_view(2, 1, truth), matrix_view(2, 1, called + 2), 5, 0);
}
END_TEST

START_TEST(pixels_without_truth)
{
    float truth[] = {0, -1, 1, -1, -1}, called[] = {0, 0, 1, 1, 2};
    expect_mean(matrix_view(5, 1, truth), matrix_view(5, 1, called), 3, 1);
    expect_mean(matrix_view(2, 1, truth + 3), matrix_view(2, 1, called + 3), 3, 0);
}
END_TEST

// ---- TASK 12.5: PSNR without the border ------------------------------------------------------------------------

static void expect_likeness(Matrix a, Matrix b, int height, int width, int border, double expected)
{
    GIVEN(IN("a", a), IN("b", b), NUMBER("height", height), NUMBER("width", width), NUMBER("border", border));
    const float got = inner_likeness(a, b, height, width, border);
    if (isinf(expected))
        ck_assert_msg(isinf(got) && got > 0, "decibels: got %g, expected INFINITY; with %s", (double)got,
                      given.text);
    else
        expect_number("decibels", got, expected, 1e-3);
    EXPECT_UNCHANGED();
}

START_TEST(only_what_is_inside)
{
    float zeros[20] = {0}, image[20]; // 4 rows of 5
    for (int i = 0; i < 20; i++) image[i] = 0.1f;
    for (int j = 1; j < 4; j++) image[5 + j] = 0.2f; // of the six inside, three are 0.2 and three 0.1
    Matrix a = matrix_view(20, 1, image), b = matrix_view(20, 1, zeros);
    expect_likeness(a, b, 4, 5, 0, -10 * log10((17 * 0.01 + 3 * 0.04) / 20));
    expect_likeness(a, b, 4, 5, 1, -10 * log10((3 * 0.01 + 3 * 0.04) / 6));
    expect_likeness(b, a, 4, 5, 1, -10 * log10((3 * 0.01 + 3 * 0.04) / 6));
    expect_likeness(a, b, 5, 4, 1, -10 * log10((5 * 0.01 + 0.04) / 6)); // the same numbers in other rows
}
END_TEST

START_TEST(colours_and_no_difference)
{
    float zeros[18] = {0}, image[18] = {1, 1, 1, 0, 1, 1}; // 3 × 3 pixels of two colours
    image[8] = 0.5f;
    Matrix a = matrix_view(9, 2, image), b = matrix_view(9, 2, zeros);
    expect_likeness(a, b, 3, 3, 1, -10 * log10(0.25 / 2));
    expect_likeness(a, b, 3, 3, 0, -10 * log10(5.25 / 18));
    image[8] = 0;
    expect_likeness(a, b, 3, 3, 1, INFINITY); // the border differs
    expect_likeness(a, a, 3, 3, 0, INFINITY);
}
END_TEST

// clang-format off
EXERCISE("12-detection-segmentation-enhancement",
         {"12.1", 8, what_two_boxes_share},
         {"12.1", 8, nothing_in_common},
         {"12.1", 4, every_pair_in_its_place},
         {"12.2", 10, who_has_gone_suppresses_nobody},
         {"12.2", 10, equal_scores_and_equal_boxes},
         {"12.3", 8, one_class_down_the_list},
         {"12.3", 4, found_twice_is_wrong_once},
         {"12.3", 4, of_equally_near_ones_the_first},
         {"12.3", 8, classes_and_images_apart},
         {"12.4", 6, each_class_counts_alike},
         {"12.4", 6, absent_classes},
         {"12.4", 6, pixels_without_truth},
         {"12.5", 10, only_what_is_inside},
         {"12.5", 8, colours_and_no_difference})
