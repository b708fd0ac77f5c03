// The judge: gradients, learning a task that is easy, and its three measures on images whose values are known.
#include "suite.h"
#include "gradients.h"
#include "learning/ops/loss.h"
#include "models/judge.h"

#include <math.h>

enum { EACH = 40, ALL = EACH * JUDGE_CLASSES };

// Images of a class have a bright row and a bright column of their own, and noise.
static Matrix made(Arena *arena, int *labels, float noise, uint64_t seed)
{
    Matrix images = matrix_new(arena, ALL, JUDGE_PIXELS);
    Rng rng = rng_new(seed, 0);
    for (int i = 0; i < ALL; i++) {
        labels[i] = i % JUDGE_CLASSES;
        for (int j = 0; j < JUDGE_PIXELS; j++) {
            const bool bright = j / JUDGE_SIDE == labels[i] + 2 || j % JUDGE_SIDE == 12 - labels[i];
            AT(images, i, j) = (bright ? 0.8f : 0.1f) + noise * rng_normal(&rng);
        }
    }
    return images;
}

typedef struct {
    Parameters set;
    Judge judge;
    Matrix images;
    int labels[3];
} Small;

static Tensor *build(Tape *tape, void *context)
{
    const Small *s = context;
    return cross_entropy(judge_logits(&s->judge, tape, s->images), s->labels);
}

START_TEST(gradients_of_some_parameters)
{
    Arena *arena = arena_new();
    Rng rng = rng_new(3, 0);
    Small s = {
        .set = parameters_new(arena), .images = matrix_new(arena, 3, JUDGE_PIXELS), .labels = {2, 9, 2}};
    s.judge = judge_new(&s.set, &rng);
    fill_uniform(s.images, &rng, 0.0f, 1.0f);
    Tensor *few[] = {s.judge.first.weight, s.judge.first.bias, s.judge.second.bias, s.judge.head.bias};
    const char *const names[] = {"first.weight", "first.bias", "second.bias", "head.bias"};
    GradcheckResult right = gradcheck(build, &s, few, names, 4, 1e-2);
    ck_assert_msg(right.passed, "%s", right.message);
    arena_free(arena);
}
END_TEST

typedef struct {
    long calls, last;
} Calls;

static void count_calls(void *context, long done, long total, double loss)
{
    Calls *calls = context;
    ck_assert(isfinite(loss) && done == calls->last + 1 && total == 4 * 4);
    calls->calls++, calls->last = done;
}

static Judge trained(Arena *arena, Parameters *set, Matrix images, const int *labels, Calls *calls)
{
    Rng rng = rng_new(1, 0);
    *set = parameters_new(arena);
    const Judge judge = judge_new(set, &rng);
    judge_train(&judge, set, images, labels, 4, &rng, calls ? count_calls : NULL, calls);
    return judge;
}

START_TEST(agreement_variety_and_distance_of_real_images_are_those_of_real_images)
{
    Arena *arena = arena_new();
    int labels[ALL], others[ALL], classes[ALL];
    Matrix images = made(arena, labels, 0.1f, 1), more = made(arena, others, 0.1f, 2);
    Parameters set;
    Calls calls = {0};
    const Judge judge = trained(arena, &set, images, labels, &calls);
    ck_assert_int_eq(calls.calls, 16);
    const JudgeReference real = judge_reference(arena, &judge, images, labels);
    ck_assert_double_gt(real.agreement, 0.95);
    for (int k = 0; k < JUDGE_CLASSES; k++) ck_assert_double_eq_tol(real.deviation[k], 0.1, 0.01);

    const JudgeReport same = judge_report(&judge, real, images, labels);
    ck_assert_double_eq(same.agreement, real.agreement);
    ck_assert_double_eq(same.variety, 1.0);
    ck_assert_double_eq_tol(same.distance, 0.0, 1e-5);
    const JudgeReport fresh = judge_report(&judge, real, more, others);
    ck_assert_double_gt(fresh.agreement, 0.9);
    ck_assert_double_eq_tol(fresh.variety, 1.0, 0.05);

    // Asked for another item than what they show, images agree with nothing, and vary no less.
    for (int i = 0; i < ALL; i++) others[i] = (labels[i] + 1) % JUDGE_CLASSES;
    const JudgeReport wrong = judge_report(&judge, real, images, others);
    ck_assert_double_lt(wrong.agreement, 0.05);
    ck_assert_double_eq_tol(wrong.distance, 0.0, 1e-5);
    judge_classes(&judge, images, classes);
    int right = 0;
    for (int i = 0; i < ALL; i++) right += classes[i] == labels[i];
    ck_assert_double_eq((double)right / ALL, real.agreement);
    arena_free(arena);
}
END_TEST

// A generator that has one image for each item agrees, and has no variety.
START_TEST(one_image_for_each_item_has_no_variety)
{
    Arena *arena = arena_new();
    int labels[ALL], others[ALL];
    Matrix images = made(arena, labels, 0.1f, 1), collapsed = made(arena, others, 0.0f, 2);
    Parameters set;
    const Judge judge = trained(arena, &set, images, labels, NULL);
    const JudgeReference real = judge_reference(arena, &judge, images, labels);
    const JudgeReport report = judge_report(&judge, real, collapsed, others);
    ck_assert_double_eq(report.agreement, 1.0);
    ck_assert_double_eq_tol(report.variety, 0.0, 1e-6);
    const JudgeReport honest = judge_report(&judge, real, made(arena, others, 0.1f, 3), others);
    ck_assert_double_gt(report.distance, 3.0 * honest.distance);
    arena_free(arena);
}
END_TEST

START_TEST(items_that_were_not_wanted_do_not_count)
{
    Arena *arena = arena_new();
    int labels[ALL];
    Matrix images = made(arena, labels, 0.1f, 1);
    Parameters set;
    const Judge judge = trained(arena, &set, images, labels, NULL);
    const JudgeReference real = judge_reference(arena, &judge, images, labels);
    Matrix three = matrix_new(arena, 3, JUDGE_PIXELS);
    const int rows[3] = {4, 14, 5}, wanted[3] = {4, 4, 5};
    gather_rows(three, images, rows);
    const JudgeReport report = judge_report(&judge, real, three, wanted);
    ck_assert(isnan(report.agreement_of[0]) && isnan(report.variety_of[0]) && isnan(report.variety_of[5]));
    ck_assert(!isnan(report.agreement_of[5]) && report.variety == report.variety_of[4]);
    arena_free(arena);
}
END_TEST

static void class_ten(void *context)
{
    Arena *arena = context;
    Parameters set = parameters_new(arena);
    Rng rng = rng_new(0, 0);
    const Judge judge = judge_new(&set, &rng);
    const int labels[2] = {0, 10};
    judge_reference(arena, &judge, matrix_new(arena, 2, JUDGE_PIXELS), labels);
}
static void other_pixels(void *context)
{
    Arena *arena = context;
    Parameters set = parameters_new(arena);
    Rng rng = rng_new(0, 0);
    const Judge judge = judge_new(&set, &rng);
    judge_logits(&judge, tape_new(), matrix_new(arena, 2, 784));
}

static void gaussian_of_other_pixels(void *context)
{
    Arena *arena = context;
    Rng rng = rng_new(0, 0);
    judge_gaussian(matrix_new(arena, 2, 9), matrix_new(arena, 3, 8), &rng);
}

// More rows than are looked at in one piece; two are equally near, the first counts.
START_TEST(the_nearest_is_found_wherever_it_is)
{
    enum { TRAINING = 5003, PIXELS = 3, IMAGES = 4 };
    Arena *arena = arena_new();
    Rng rng = rng_new(4, 0);
    Matrix training = matrix_new(arena, TRAINING, PIXELS), images = matrix_new(arena, IMAGES, PIXELS);
    fill_uniform(training, &rng, 0.0f, 1.0f), fill_uniform(images, &rng, 0.0f, 1.0f);
    copy(matrix_rows(images, 1, 1), matrix_rows(training, 5002, 1)); // a copy, in the last piece
    copy(matrix_rows(training, 5001, 1), matrix_rows(training, 17, 1));
    copy(matrix_rows(images, 2, 1), matrix_rows(training, 17, 1));
    int nearest[IMAGES];
    double distance[IMAGES];
    judge_nearest(images, training, nearest, distance);
    for (int i = 0; i < IMAGES; i++) {
        int best = -1;
        double least = INFINITY;
        for (int t = 0; t < TRAINING; t++) {
            double square = 0.0;
            for (int k = 0; k < PIXELS; k++)
                square += pow((double)AT(images, i, k) - (double)AT(training, t, k), 2.0);
            if (square < least) least = square, best = t;
        }
        ck_assert_int_eq(nearest[i], best);
        ck_assert_msg(fabs(distance[i] - sqrt(least)) < 1e-3, "%g and %g", distance[i], sqrt(least));
    }
    ck_assert_int_eq(nearest[1], 5002);
    ck_assert_int_eq(nearest[2], 17);
    arena_free(arena);
}
END_TEST

START_TEST(gaussian_images_have_mean_and_covariance_of_real_ones)
{
    enum { REAL = 50, DRAWN = 40000 };
    Arena *arena = arena_new();
    Rng rng = rng_new(5, 0);
    Matrix real = matrix_new(arena, REAL, 2), drawn = matrix_new(arena, DRAWN, 2);
    for (int i = 0; i < REAL; i++) {
        AT(real, i, 0) = 0.5f + 0.05f * rng_normal(&rng);
        AT(real, i, 1) = 0.9f - 0.8f * AT(real, i, 0) + 0.02f * rng_normal(&rng);
    }
    judge_gaussian(drawn, real, &rng);
    const Gaussian a = gaussian_fit(arena, real), b = gaussian_fit(arena, drawn);
    for (int j = 0; j < 2; j++)
        ck_assert_msg(fabs(a.mean[j] - b.mean[j]) < 2e-3, "mean %d: %g and %g", j, a.mean[j], b.mean[j]);
    for (int j = 0; j < 4; j++) // of all, divided by N where the fit divides by N − 1
        ck_assert_msg(fabs(a.covariance[j] * 49.0 / 50.0 - b.covariance[j]) < 1e-4,
                      "covariance %d: %g and %g", j, a.covariance[j], b.covariance[j]);
    for (int i = 0; i < REAL; i++)
        AT(real, i, 0) = i % 2 ? 0.0f : 1.0f; // many samples would lie outside of 0 … 1
    judge_gaussian(drawn, real, &rng);
    for (int i = 0; i < DRAWN; i++) ck_assert(AT(drawn, i, 0) >= 0.0f && AT(drawn, i, 0) <= 1.0f);
    arena_free(arena);
}
END_TEST

START_TEST(mistakes_are_told)
{
    Arena *arena = arena_new();
    expect_death(class_ten, arena, "judge_reference: image 1 has class 10");
    expect_death(gaussian_of_other_pixels, arena, "judge_gaussian: images (2 × 9) after real ones (3 × 8)");
    expect_death(other_pixels, arena, "judge: images (2 × 784)");
    arena_free(arena);
}
END_TEST

SUITE("judge", gradients_of_some_parameters,
      agreement_variety_and_distance_of_real_images_are_those_of_real_images,
      one_image_for_each_item_has_no_variety, items_that_were_not_wanted_do_not_count,
      the_nearest_is_found_wherever_it_is, gaussian_images_have_mean_and_covariance_of_real_ones,
      mistakes_are_told)
