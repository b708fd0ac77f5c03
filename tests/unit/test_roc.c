#include "learning/roc.h"
#include "base/rng.h"
#include "suite.h"

#include <math.h>

// Every pair of a positive and a negative, compared.
static double naive_area(const float *scores, const bool *positive, int count)
{
    double won = 0.0, pairs = 0.0;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) {
            if (!positive[i] || positive[j]) continue;
            pairs += 1.0;
            won += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
        }
    return won / pairs;
}

static double area_below(RocCurve curve)
{
    double area = 0.0;
    for (int i = 1; i < curve.count; i++) {
        const RocPoint a = curve.points[i - 1], b = curve.points[i];
        area += (b.false_positive_rate - a.false_positive_rate) * 0.5 *
                (a.true_positive_rate + b.true_positive_rate);
    }
    return area;
}

START_TEST(small_cases_are_known)
{
    const bool positive[] = {false, true, false, true};
    const float apart[] = {0, 2, 1, 3}, reversed[] = {3, 1, 2, 0}, equal[] = {5, 5, 5, 5},
                mixed[] = {1, 2, 2, 3}, infinite[] = {-INFINITY, INFINITY, 0, INFINITY};
    ck_assert(roc_area(apart, positive, 4) == 1.0);
    ck_assert(roc_area(reversed, positive, 4) == 0.0);
    ck_assert(roc_area(equal, positive, 4) == 0.5);
    ck_assert(roc_area(mixed, positive, 4) == 0.875);
    ck_assert(roc_area(infinite, positive, 4) == 1.0);
}
END_TEST

START_TEST(the_area_is_the_fraction_of_pairs_in_order)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(1, 0);
    for (int count = 2; count < 300; count += 7) {
        float scores[300];
        bool positive[300];
        for (int i = 0; i < count; i++) {
            positive[i] = i == 0 || (i > 1 && rng_below(&rng, 3) == 0);
            scores[i] = (float)rng_below(&rng, (uint32_t)(1 + count / 2)) + (positive[i] ? 2.0f : 0.0f);
        }
        const double naive = naive_area(scores, positive, count), area = roc_area(scores, positive, count);
        ck_assert_msg(fabs(naive - area) < 1e-12, "%d examples: got %.12f, expected %.12f", count, area,
                      naive);
        const double below = area_below(roc_curve(arena, scores, positive, count));
        ck_assert_msg(fabs(naive - below) < 1e-12, "%d examples: below the curve %.12f, expected %.12f",
                      count, below, naive);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_curve_has_one_step_for_each_score)
{
    Arena *arena = arena_new();
    const float scores[] = {1, 4, 4, 2, 1};
    const bool positive[] = {false, true, false, true, false};
    const RocPoint expected[] = {{INFINITY, 0, 0}, {4, 1 / 3.0, 0.5}, {2, 1 / 3.0, 1}, {1, 1, 1}};
    RocCurve curve = roc_curve(arena, scores, positive, 5);
    ck_assert_int_eq(curve.count, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert(curve.points[i].threshold == expected[i].threshold);
        ck_assert(curve.points[i].false_positive_rate == expected[i].false_positive_rate);
        ck_assert(curve.points[i].true_positive_rate == expected[i].true_positive_rate);
    }
    arena_free(arena);
}
END_TEST

static const bool one_positive[] = {true, false}, all_positive[] = {true, true}, none_positive[2];
static const float two_scores[] = {1, 2}, no_number[] = {1, NAN};

static void area_of_one_kind(void *context)
{
    roc_area(two_scores, context ? all_positive : none_positive, 2);
}
static void area_of_nothing(void *context)
{
    (void)context;
    roc_area(two_scores, all_positive, 0);
}
static void area_with_nan(void *context)
{
    (void)context;
    roc_area(no_number, one_positive, 2);
}
static void curve_with_nan(void *context)
{
    (void)context;
    roc_curve(arena_new(), no_number, one_positive, 2);
}

START_TEST(what_has_no_curve_is_refused)
{
    int some = 1;
    expect_death(area_of_one_kind, NULL, "roc_area: 0 of 2 examples are positive");
    expect_death(area_of_one_kind, &some, "roc_area: 2 of 2 examples are positive");
    expect_death(area_of_nothing, NULL, "roc_area: 0 of 0 examples are positive");
    expect_death(area_with_nan, NULL, "roc_area: score 1 of 2 is no number");
    expect_death(curve_with_nan, NULL, "roc_curve: score 1 of 2 is no number");
}
END_TEST

SUITE("roc", small_cases_are_known, the_area_is_the_fraction_of_pairs_in_order,
      a_curve_has_one_step_for_each_score, what_has_no_curve_is_refused)
