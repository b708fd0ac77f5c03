// exercise_02.c: what the answers to the exercises of chapter 2 must do. The references are written here in double
// precision, in the plainest way.
#include "exercise.h"
#include "exercise_suite.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { N = 23, D = 7, K = 5 };

static Arena *arena;

static Matrix random_matrix(int rows, int cols, uint64_t stream, float deviation)
{
    if (!arena) arena = arena_new();
    Matrix m = matrix_new(arena, rows, cols);
    Rng rng = rng_new(2, stream);
    fill_normal(m, &rng, 0.0f, deviation);
    return m;
}

// Classes 0 … classes − 1 in a fixed, uneven order
static Matrix some_labels(int rows, int classes)
{
    Matrix labels = random_matrix(rows, 1, 99, 0.0f);
    for (int i = 0; i < rows; i++) labels.data[i] = (float)(((int64_t)i * i + 3 * i + i / 4) % classes);
    return labels;
}

static double score_of(Matrix x, Matrix w, int i, int k)
{
    double score = 0.0;
    for (int j = 0; j < x.cols; j++) score += (double)AT(x, i, j) * (double)AT(w, j, k);
    return score;
}

static void expect_near(const char *what, double got, double expected, double tolerance)
{
    ck_assert_msg(isfinite(got) && fabs(got - expected) <= tolerance, "%s: expected %.8g, got %.8g", what,
                  expected, got);
}

static void expect_all_near(const char *what, Matrix got, Matrix expected, double tolerance)
{
    for (int i = 0; i < got.rows; i++)
        for (int j = 0; j < got.cols; j++)
            ck_assert_msg(isfinite(AT(got, i, j)) &&
                              fabs((double)AT(got, i, j) - (double)AT(expected, i, j)) <= tolerance,
                          "%s, element (%d, %d): expected %.8g, got %.8g", what, i, j,
                          (double)AT(expected, i, j), (double)AT(got, i, j));
}

// ---- 2.1 -----------------------------------------------------------------------------------------------------------

START_TEST(to_be_undecided_costs_log_2)
{
    Matrix x = random_matrix(N, D, 1, 1.0f), w = random_matrix(D, 1, 2, 0.0f), y = some_labels(N, 2);
    expect_near("the loss of weights 0", (double)logistic_loss(x, w, y), log(2.0), 1e-6);
}
END_TEST

START_TEST(the_loss_is_the_mean_surprise)
{
    Matrix x = random_matrix(N, D, 1, 1.0f), w = random_matrix(D, 1, 3, 1.0f), y = some_labels(N, 2);
    float got = logistic_loss(x, w, y);
    double expected = 0.0;
    for (int i = 0; i < N; i++) {
        double p = 1.0 / (1.0 + exp(-score_of(x, w, i, 0)));
        expected -= log(y.data[i] > 0.5f ? p : 1.0 - p) / N;
    }
    expect_near("the loss", (double)got, expected, 1e-5 * expected);
}
END_TEST

START_TEST(huge_scores_cost_what_they_should)
{
    Matrix x = random_matrix(1, 1, 4, 0.0f), w = random_matrix(1, 1, 5, 0.0f),
           y = random_matrix(1, 1, 6, 0.0f);
    w.data[0] = 1.0f;
    const float scores[] = {1e4f, -1e4f, 200.0f, -200.0f, 90.0f, -90.0f};
    for (int s = 0; s < 6; s++) {
        for (int label = 0; label < 2; label++) {
            x.data[0] = scores[s];
            y.data[0] = (float)label;
            bool wrong = (scores[s] > 0.0f) != (label == 1);
            expect_near("a score of this size", (double)logistic_loss(x, w, y),
                        wrong ? fabs((double)scores[s]) : 0.0, 1e-3);
        }
    }
}
END_TEST

// ---- 2.2 -----------------------------------------------------------------------------------------------------------

static Matrix reference_gradient(Matrix x, Matrix w, Matrix y)
{
    Matrix gradient = random_matrix(x.cols, 1, 7, 0.0f);
    for (int j = 0; j < x.cols; j++) {
        double total = 0.0;
        for (int i = 0; i < x.rows; i++)
            total += (double)AT(x, i, j) * (1.0 / (1.0 + exp(-score_of(x, w, i, 0))) - (double)y.data[i]);
        gradient.data[j] = (float)(total / x.rows);
    }
    return gradient;
}

START_TEST(the_gradient_is_input_times_error)
{
    Matrix x = random_matrix(N, D, 1, 1.0f), w = random_matrix(D, 1, 3, 1.0f), y = some_labels(N, 2);
    Matrix gradient = random_matrix(D, 1, 8, 5.0f); // must be overwritten
    logistic_gradient(gradient, x, w, y);
    expect_all_near("the gradient", gradient, reference_gradient(x, w, y), 1e-5);
}
END_TEST

START_TEST(the_gradient_survives_huge_scores)
{
    Matrix x = random_matrix(N, D, 1, 1.0f), w = random_matrix(D, 1, 3, 4000.0f), y = some_labels(N, 2);
    Matrix gradient = random_matrix(D, 1, 8, 5.0f);
    logistic_gradient(gradient, x, w, y);
    expect_all_near("the gradient", gradient, reference_gradient(x, w, y), 1e-5);
}
END_TEST

START_TEST(the_gradient_leaves_its_inputs_alone)
{
    Matrix x = random_matrix(N, D, 1, 1.0f), w = random_matrix(D, 1, 3, 1.0f), y = some_labels(N, 2);
    Matrix gradient = random_matrix(D, 1, 8, 5.0f);
    logistic_gradient(gradient, x, w, y);
    expect_all_near("x afterwards", x, random_matrix(N, D, 1, 1.0f), 0.0);
    expect_all_near("w afterwards", w, random_matrix(D, 1, 3, 1.0f), 0.0);
    expect_all_near("y afterwards", y, some_labels(N, 2), 0.0);
}
END_TEST

// ---- 2.3 -----------------------------------------------------------------------------------------------------------

static Matrix reference_softmax(Matrix z)
{
    Matrix p = random_matrix(z.rows, z.cols, 9, 0.0f);
    for (int i = 0; i < z.rows; i++)
        for (int k = 0; k < z.cols; k++) {
            double total = 0.0; // 1 / p
            for (int j = 0; j < z.cols; j++) total += exp((double)AT(z, i, j) - (double)AT(z, i, k));
            AT(p, i, k) = (float)(1.0 / total);
        }
    return p;
}

static void expect_softmax(int rows, int classes, float deviation, float shift)
{
    Matrix z = random_matrix(rows, classes, 10, deviation), p = random_matrix(rows, classes, 11, 5.0f);
    add_scalar(z, shift);
    softmax_of_rows(p, z);
    expect_all_near("the probabilities", p, reference_softmax(z), 1e-6);
}

START_TEST(probabilities_are_within_a_millionth)
{
    expect_softmax(N, K, 2.0f, 0.0f);
    expect_softmax(1, 1, 2.0f, 0.0f);
    expect_softmax(3, MAX_CLASSES, 1.0f, 0.0f);
}
END_TEST

START_TEST(large_scores_do_not_overflow)
{
    expect_softmax(N, K, 2.0f, 100.0f);
    expect_softmax(N, K, 2.0f, 9990.0f);
    expect_softmax(N, K, 3000.0f, 0.0f);
}
END_TEST

START_TEST(very_negative_scores_do_not_vanish)
{
    expect_softmax(N, K, 2.0f, -100.0f); // the exponentials are subnormal numbers here: finite, and wrong
    expect_softmax(N, K, 2.0f, -9990.0f);
}
END_TEST

// ---- 2.4 -----------------------------------------------------------------------------------------------------------

static void expect_softmax_gradient(int rows, int features, int classes, float deviation)
{
    Matrix x = random_matrix(rows, features, 1, 1.0f), w = random_matrix(features, classes, 12, deviation);
    Matrix labels = some_labels(rows, classes), gradient = random_matrix(features, classes, 13, 5.0f);
    softmax_gradient(gradient, x, w, labels);

    Matrix z = random_matrix(rows, classes, 14, 0.0f), expected = random_matrix(features, classes, 15, 0.0f);
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < classes; k++) AT(z, i, k) = (float)score_of(x, w, i, k);
    Matrix p = reference_softmax(z);
    for (int j = 0; j < features; j++)
        for (int k = 0; k < classes; k++) {
            double total = 0.0;
            for (int i = 0; i < rows; i++)
                total +=
                    (double)AT(x, i, j) * ((double)AT(p, i, k) - (labels.data[i] == (float)k ? 1.0 : 0.0));
            AT(expected, j, k) = (float)(total / rows);
        }
    expect_all_near("the gradient", gradient, expected, 2e-5);
}

START_TEST(every_class_gets_input_times_error)
{
    expect_softmax_gradient(N, D, K, 1.0f);
    expect_softmax_gradient(1, 1, 2, 1.0f);
    expect_softmax_gradient(5, 3, MAX_CLASSES, 0.5f);
}
END_TEST

START_TEST(the_softmax_gradient_survives_huge_scores)
{
    Matrix x = random_matrix(N, D, 1, 1.0f), w = random_matrix(D, K, 12, 3000.0f), labels = some_labels(N, K);
    Matrix gradient = random_matrix(D, K, 13, 5.0f);
    softmax_gradient(gradient, x, w, labels);
    for (int j = 0; j < D; j++) { // what one class receives too much of, another lacks
        double total = 0.0;
        for (int k = 0; k < K; k++) total += (double)AT(gradient, j, k);
        expect_near("the sum of a row of the gradient", total, 0.0, 1e-5);
    }
}
END_TEST

// ---- 2.5 -----------------------------------------------------------------------------------------------------------

static double area_by_pairs(Matrix scores, Matrix y)
{
    double won = 0.0, pairs = 0.0;
    for (int i = 0; i < y.rows; i++)
        for (int j = 0; j < y.rows; j++) {
            if (y.data[i] < 0.5f || y.data[j] > 0.5f) continue;
            pairs += 1.0;
            won += scores.data[i] > scores.data[j] ? 1.0 : scores.data[i] == scores.data[j] ? 0.5 : 0.0;
        }
    return won / pairs;
}

START_TEST(perfect_scores_have_an_area_of_1)
{
    Matrix y = some_labels(N, 2), reversed = random_matrix(N, 1, 16, 0.0f);
    for (int i = 0; i < N; i++) reversed.data[i] = -y.data[i];
    expect_near("scores equal to the labels", (double)area_under_curve(y, y), 1.0, 1e-6);
    expect_near("scores upside down", (double)area_under_curve(reversed, y), 0.0, 1e-6);
}
END_TEST

START_TEST(the_area_is_the_share_of_pairs_in_order)
{
    Matrix scores = random_matrix(301, 1, 17, 1.0f), y = some_labels(301, 2);
    for (int i = 0; i < 301; i++) scores.data[i] += 0.8f * y.data[i];
    expect_near("the area", (double)area_under_curve(scores, y), area_by_pairs(scores, y), 1e-6);
}
END_TEST

START_TEST(equal_scores_count_one_half)
{
    Matrix scores = random_matrix(301, 1, 18, 1.5f), y = some_labels(301, 2),
           same = random_matrix(301, 1, 19, 0.0f);
    for (int i = 0; i < 301; i++)
        scores.data[i] = floorf(scores.data[i] + 0.7f * y.data[i]); // few different scores
    expect_near("all scores equal", (double)area_under_curve(same, y), 0.5, 1e-6);
    expect_near("many scores equal", (double)area_under_curve(scores, y), area_by_pairs(scores, y), 1e-6);
}
END_TEST

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

START_TEST(two_hundred_thousand_scores_take_less_than_a_second)
{
    enum { MANY = 200000 };
    Matrix scores = random_matrix(MANY, 1, 20, 1.0f), y = some_labels(MANY, 2);
    double fastest = INFINITY;
    for (int attempt = 0; attempt < 3; attempt++) { // the machine may be busy
        double start = seconds();
        float area = area_under_curve(scores, y);
        double taken = seconds() - start;
        fastest = fmin(fastest, taken);
        expect_near("random scores", (double)area, 0.5, 0.01);
        if (taken < 1.0 || taken > 4.0) break;
    }
    ck_assert_msg(fastest < 1.0, "%d scores: expected less than 1 s, took %.2f s", MANY, fastest);
}
END_TEST

EXERCISE("02-logistic-regression", {"2.1", 5, to_be_undecided_costs_log_2},
         {"2.1", 5, the_loss_is_the_mean_surprise}, {"2.1", 5, huge_scores_cost_what_they_should},
         {"2.2", 10, the_gradient_is_input_times_error}, {"2.2", 5, the_gradient_survives_huge_scores},
         {"2.2", 5, the_gradient_leaves_its_inputs_alone}, {"2.3", 5, probabilities_are_within_a_millionth},
         {"2.3", 5, large_scores_do_not_overflow}, {"2.3", 5, very_negative_scores_do_not_vanish},
         {"2.4", 20, every_class_gets_input_times_error},
         {"2.4", 5, the_softmax_gradient_survives_huge_scores}, {"2.5", 5, perfect_scores_have_an_area_of_1},
         {"2.5", 5, the_area_is_the_share_of_pairs_in_order}, {"2.5", 5, equal_scores_count_one_half},
         {"2.5", 10, two_hundred_thousand_scores_take_less_than_a_second})
