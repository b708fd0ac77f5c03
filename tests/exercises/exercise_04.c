// The exercises of chapter 4, learning without labels: what each task is tested for, and its points. What the answers are
// compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

enum { MOST = 64 };

static double squared(const float *a, const float *b, int d)
{
    double total = 0.0;
    for (int j = 0; j < d; j++) total += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return total;
}

// ---- TASK 4.1: a stream ---------------------------------------------------------------------------------------

START_TEST(a_centre_stays_the_mean_of_what_has_come_to_it)
{
    float places[] = {0, 0, 10, 10}, held[] = {3, 1}, coming[] = {4, 8};
    Matrix centres = matrix_view(2, 2, places), counts = matrix_view(2, 1, held),
           example = matrix_view(1, 2, coming);
    GIVEN(OUT("centres", centres), OUT("counts", counts), IN("example", example));
    stream_step(centres, counts, example);
    expect_within("centres", centres, ((double[]){0, 0, 7, 9}), 1e-5);
    expect_within("counts", counts, ((double[]){3, 2}), 0.0);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(the_first_to_come_is_the_centre)
{
    float places[] = {5, -1}, held[] = {0, 7}, coming[] = {3};
    Matrix centres = matrix_view(2, 1, places), counts = matrix_view(2, 1, held),
           example = matrix_view(1, 1, coming);
    GIVEN(OUT("centres", centres), OUT("counts", counts), IN("example", example));
    stream_step(centres, counts, example);
    expect_within("centres", centres, ((double[]){3, -1}), 1e-6);
    expect_within("counts", counts, ((double[]){1, 7}), 0.0);
}
END_TEST

START_TEST(of_equally_near_centres_the_first)
{
    float places[] = {9, 1, 3, 1}, held[] = {1, 1, 1, 1}, coming[] = {2};
    Matrix centres = matrix_view(4, 1, places), counts = matrix_view(4, 1, held),
           example = matrix_view(1, 1, coming);
    GIVEN(OUT("centres", centres), OUT("counts", counts), IN("example", example));
    stream_step(centres, counts, example);
    expect_within("centres", centres, ((double[]){9, 1.5, 3, 1}), 1e-6);
    expect_within("counts", counts, ((double[]){1, 2, 1, 1}), 0.0);
}
END_TEST

START_TEST(one_centre_becomes_the_mean_of_the_stream)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(4, 1);
    Matrix centre = matrix_new(arena, 1, 3), counts = matrix_new(arena, 1, 1), x = matrix_new(arena, 50, 3);
    double means[3] = {0};
    fill_normal(x, &rng, 1.0f, 2.0f);
    for (int i = 0; i < x.rows; i++) {
        Matrix example = matrix_rows(x, i, 1);
        GIVEN(OUT("centres", centre), OUT("counts", counts), IN("example", example));
        stream_step(centre, counts, example);
        for (int j = 0; j < 3; j++) means[j] += (double)AT(x, i, j) / x.rows;
    }
    expect_close("centres", centre, means, 1e-4);
    arena_free(arena);
}
END_TEST

// ---- TASK 4.2: the next centre --------------------------------------------------------------------------------

START_TEST(probabilities_computed_by_hand)
{
    float points[] = {0, 1, 4, 6}, held[] = {0, 6};
    float values[] = {9, 9, 9, 9};
    Matrix p = matrix_view(4, 1, values), x = matrix_view(4, 1, points), centres = matrix_view(2, 1, held);
    GIVEN(OUT("p", p), IN("x", x), IN("centres", centres));
    next_centre_probabilities(p, x, centres);
    expect_within("p", p, ((double[]){0, 0.2, 0.8, 0}), 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(close_examples_have_probabilities_too)
{
    float points[] = {0, 0.125f, 0.25f}, held[] = {0}, values[] = {0, 0, 0};
    Matrix p = matrix_view(3, 1, values), x = matrix_view(3, 1, points), centres = matrix_view(1, 1, held);
    GIVEN(OUT("p", p), IN("x", x), IN("centres", centres));
    next_centre_probabilities(p, x, centres);
    expect_within("p", p, ((double[]){0, 0.2, 0.8}), 1e-6);
}
END_TEST

START_TEST(all_alike_when_each_is_on_a_centre)
{
    float points[] = {2, 3, 2, 3, 2, 3}, held[] = {2, 3}, values[] = {0, 0, 0};
    Matrix p = matrix_view(3, 1, values), x = matrix_view(3, 2, points), centres = matrix_view(1, 2, held);
    GIVEN(OUT("p", p), IN("x", x), IN("centres", centres));
    next_centre_probabilities(p, x, centres);
    expect_within("p", p, ((double[]){1.0 / 3, 1.0 / 3, 1.0 / 3}), 1e-6);
}
END_TEST

START_TEST(many_examples_and_centres)
{
    const int sizes[][3] = {{5, 1, 1}, {9, 3, 2}, {MOST, 7, 5}};
    for (int s = 0; s < 3; s++) {
        Arena *arena = arena_new();
        const int n = sizes[s][0], d = sizes[s][1], k = sizes[s][2];
        Rng rng = rng_new((uint64_t)s, 42);
        Matrix x = matrix_new(arena, n, d), centres = matrix_new(arena, k, d), p = matrix_new(arena, n, 1);
        double expected[MOST], total = 0.0;
        fill_normal(x, &rng, 0.0f, 1.0f);
        fill_normal(centres, &rng, 0.0f, 1.0f);
        fill(p, 5.0f);
        for (int i = 0; i < n; i++) {
            expected[i] = INFINITY;
            for (int c = 0; c < k; c++)
                expected[i] = fmin(expected[i], squared(matrix_row(x, i), matrix_row(centres, c), d));
            total += expected[i];
        }
        for (int i = 0; i < n; i++) expected[i] /= total;
        GIVEN(OUT("p", p), IN("x", x), IN("centres", centres));
        next_centre_probabilities(p, x, centres);
        expect_close("p", p, expected, 1e-4);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 4.3: power iteration with deflation -----------------------------------------------------------------

START_TEST(a_step_computed_by_hand)
{
    float start[] = {0.6f, 0, 0.8f}, matrix[] = {5, 0, 0, 0, 3, 4, 0, 4, 1}, first[] = {1, 0, 0};
    Matrix v = matrix_view(1, 3, start), c = matrix_view(3, 3, matrix), found = matrix_view(1, 3, first);
    GIVEN(OUT("v", v), IN("c", c), IN("found", found));
    const float length = deflated_step(v, c, found);
    expect_number("length", length, 0.8 * sqrt(17), 1e-5);
    expect_within("v", v, ((double[]){0, 4 / sqrt(17), 1 / sqrt(17)}), 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(two_components_are_taken_out)
{
    float start[] = {1, 2, 3, 4}, matrix[] = {1, 2, 0, 1, 2, 5, 1, 0, 0, 1, 3, 2, 1, 0, 2, 7};
    float axes[] = {0.6f, 0.8f, 0, 0, 0, 0, 0, 1};
    Matrix v = matrix_view(1, 4, start), c = matrix_view(4, 4, matrix), found = matrix_view(2, 4, axes);
    double w[4] = {0}, squares = 0.0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) w[i] += (double)AT(c, i, j) * (double)start[j];
    for (int m = 0; m < 2; m++) {
        double along = 0.0;
        for (int i = 0; i < 4; i++) along += w[i] * (double)AT(found, m, i);
        for (int i = 0; i < 4; i++) w[i] -= along * (double)AT(found, m, i);
    }
    for (int i = 0; i < 4; i++) squares += w[i] * w[i];
    for (int i = 0; i < 4; i++) w[i] /= sqrt(squares);
    GIVEN(OUT("v", v), IN("c", c), IN("found", found));
    expect_number("length", deflated_step(v, c, found), sqrt(squares), 1e-4);
    expect_close("v", v, w, 1e-5);
}
END_TEST

START_TEST(where_nothing_is_left_the_vector_stays)
{
    float start[] = {3, 4}, matrix[] = {2, 0, 0, 0}, first[] = {1, 0};
    Matrix v = matrix_view(1, 2, start), c = matrix_view(2, 2, matrix), found = matrix_view(1, 2, first);
    GIVEN(OUT("v", v), IN("c", c), IN("found", found));
    expect_number("length", deflated_step(v, c, found), 0.0, 0.0);
    expect_within("v", v, ((double[]){3, 4}), 0.0);
}
END_TEST

START_TEST(a_short_vector_becomes_one_long)
{
    float start[] = {1, 0.5f}, matrix[] = {4, 0, 0, 0.25f}, first[] = {1, 0};
    Matrix v = matrix_view(1, 2, start), c = matrix_view(2, 2, matrix), found = matrix_view(1, 2, first);
    GIVEN(OUT("v", v), IN("c", c), IN("found", found));
    expect_number("length", deflated_step(v, c, found), 0.125, 1e-6);
    expect_within("v", v, ((double[]){0, 1}), 1e-6);
}
END_TEST

START_TEST(steps_find_the_second_component)
{
    float start[] = {1, 1, 1}, matrix[] = {9, 0, 0, 0, 4, 0, 0, 0, 1}, first[] = {1, 0, 0};
    Matrix v = matrix_view(1, 3, start), c = matrix_view(3, 3, matrix), found = matrix_view(1, 3, first);
    float length = 0.0f;
    for (int t = 0; t < 30; t++) {
        GIVEN(OUT("v", v), IN("c", c), IN("found", found));
        length = deflated_step(v, c, found);
    }
    expect_number("length", length, 4.0, 1e-4);
    expect_within("v", v, ((double[]){0, 1, 0}), 1e-4);
}
END_TEST

// ---- TASK 4.4: a candidate ------------------------------------------------------------------------------------

static void expect_survival(int items, float *wanted, int rows, float *sets, int expected)
{
    Matrix candidate = matrix_view(1, items, wanted), frequent = matrix_view(rows, items, sets);
    GIVEN(IN("candidate", candidate), IN("frequent", frequent));
    const int survives = candidate_survives(candidate, frequent);
    expect_number("survives", survives, expected, 0.0);
    EXPECT_UNCHANGED();
}

START_TEST(all_parts_must_be_frequent)
{
    float candidate[] = {1, 0, 1, 1}, sets[] = {1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1, 1, 0, 0};
    expect_survival(4, candidate, 4, sets, 1);
    expect_survival(4, candidate, 2, sets, 0);
    expect_survival(4, candidate, 3, sets + 4, 0);
}
END_TEST

START_TEST(each_part_counts)
{
    for (int missing = 0; missing < 5; missing++) { // of five items, the part without one of them
        float candidate[] = {1, 1, 1, 1, 1}, sets[25];
        for (int row = 0; row < 5; row++)
            for (int j = 0; j < 5; j++) sets[5 * row + j] = j == row ? 0 : 1;
        expect_survival(5, candidate, 5, sets, 1);
        sets[5 * missing + (missing + 1) % 5] = 0;
        expect_survival(5, candidate, 5, sets, 0);
    }
}
END_TEST

START_TEST(a_larger_set_is_not_a_part)
{
    float pair[] = {1, 1, 0}, sets[] = {1, 0, 0, 0, 1, 1}, alone[] = {1, 1, 0};
    expect_survival(3, pair, 2, sets, 0);
    expect_survival(3, pair, 1, alone, 0);
}
END_TEST

// ---- TASK 4.5: a running median -------------------------------------------------------------------------------

START_TEST(medians_computed_by_hand)
{
    float values[] = {4, 8, 1, 9, 2, 7}, places[6] = {0};
    Matrix series = matrix_view(6, 1, values), out = matrix_view(6, 1, places);
    GIVEN(OUT("out", out), IN("series", series), NUMBER("window", 3));
    running_median(out, series, 3);
    expect_within("out", out, ((double[]){4, 4, 6, 4, 8, 2}), 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(a_window_of_one_is_the_reading_before)
{
    float values[] = {3, 1, 4, 1, 5}, places[5];
    Matrix series = matrix_view(5, 1, values), out = matrix_view(5, 1, places);
    fill(out, 9.0f);
    GIVEN(OUT("out", out), IN("series", series), NUMBER("window", 1));
    running_median(out, series, 1);
    expect_within("out", out, ((double[]){3, 3, 1, 4, 1}), 0.0);
}
END_TEST

static int by_number(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

START_TEST(any_window_and_any_length)
{
    const int sizes[][2] = {{1, 5}, {2, 2}, {17, 4}, {MOST, 9}, {20, 100}};
    for (int s = 0; s < 5; s++) {
        Arena *arena = arena_new();
        const int n = sizes[s][0], window = sizes[s][1];
        Rng rng = rng_new((uint64_t)s, 45);
        Matrix series = matrix_new(arena, n, 1), out = matrix_new(arena, n, 1);
        double expected[MOST], past[MOST];
        fill_normal(series, &rng, 0.0f, 1.0f);
        expected[0] = (double)series.data[0];
        for (int t = 1; t < n; t++) {
            const int count = t < window ? t : window;
            for (int k = 0; k < count; k++) past[k] = (double)series.data[t - 1 - k];
            qsort(past, (size_t)count, sizeof *past, by_number);
            expected[t] = 0.5 * (past[(count - 1) / 2] + past[count / 2]);
        }
        GIVEN(OUT("out", out), IN("series", series), NUMBER("window", window));
        running_median(out, series, window);
        expect_close("out", out, expected, 1e-6);
        EXPECT_UNCHANGED();
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("04-without-labels",
         {"4.1", 5, a_centre_stays_the_mean_of_what_has_come_to_it},
         {"4.1", 5, the_first_to_come_is_the_centre},
         {"4.1", 5, of_equally_near_centres_the_first},
         {"4.1", 5, one_centre_becomes_the_mean_of_the_stream},
         {"4.2", 5, probabilities_computed_by_hand},
         {"4.2", 5, all_alike_when_each_is_on_a_centre},
         {"4.2", 5, close_examples_have_probabilities_too},
         {"4.2", 5, many_examples_and_centres},
         {"4.3", 5, a_step_computed_by_hand},
         {"4.3", 3, two_components_are_taken_out},
         {"4.3", 4, where_nothing_is_left_the_vector_stays},
         {"4.3", 4, a_short_vector_becomes_one_long},
         {"4.3", 4, steps_find_the_second_component},
         {"4.4", 5, all_parts_must_be_frequent},
         {"4.4", 10, each_part_counts},
         {"4.4", 5, a_larger_set_is_not_a_part},
         {"4.5", 5, medians_computed_by_hand},
         {"4.5", 5, a_window_of_one_is_the_reading_before},
         {"4.5", 10, any_window_and_any_length})
