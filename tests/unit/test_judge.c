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

START_TEST(mistakes_are_told)
{
    Arena *arena = arena_new();
    expect_death(class_ten, arena, "judge_reference: image 1 has class 10");
    expect_death(other_pixels, arena, "judge: images (2 × 784)");
    arena_free(arena);
}
END_TEST

SUITE("judge", gradients_of_some_parameters,
      agreement_variety_and_distance_of_real_images_are_those_of_real_images,
      one_image_for_each_item_has_no_variety, items_that_were_not_wanted_do_not_count, mistakes_are_told)
