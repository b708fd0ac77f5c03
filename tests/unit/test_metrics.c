// Confusions and noise, against counts one by one and against formulas.
#include "base/mathf.h"
#include "base/rng.h"
#include "learning/metrics.h"
#include "learning/ops/loss.h"
#include "suite.h"

#include <math.h>

START_TEST(overlap_of_classes_is_counted_one_by_one)
{
    enum { COUNT = 300, CLASSES = 6 };
    Rng rng = rng_new(1, 1);
    for (int trial = 0; trial < 50; trial++) {
        Arena *arena = arena_new();
        int truth[COUNT], predicted[COUNT];
        const uint32_t most = 1 + rng_below(&rng, CLASSES); // classes from most on are nowhere
        for (int i = 0; i < COUNT; i++) {
            truth[i] = (int)rng_below(&rng, most);
            predicted[i] = rng_below(&rng, 2) ? truth[i] : (int)rng_below(&rng, most);
            if (rng_below(&rng, 10) == 0) truth[i] = LABEL_IGNORED;
        }
        Confusion confusion = confusion_new(arena, CLASSES);
        confusion_count(&confusion, truth, predicted, 100); // in two pieces
        confusion_count(&confusion, truth + 100, predicted + 100, COUNT - 100);
        double each[CLASSES], sum = 0.0;
        const double mean = confusion_mean_iou(&confusion, each);
        int counted = 0, right = 0, all = 0;
        for (int c = 0; c < CLASSES; c++) {
            int both = 0, either = 0;
            for (int i = 0; i < COUNT; i++) {
                if (truth[i] == LABEL_IGNORED) continue;
                both += truth[i] == c && predicted[i] == c;
                either += truth[i] == c || predicted[i] == c;
            }
            if (!either) {
                ck_assert(isnan(each[c]) && isnan(confusion_iou(&confusion, c)));
                continue;
            }
            ck_assert_double_eq(each[c], (double)both / either);
            ck_assert_double_eq(confusion_iou(&confusion, c), each[c]);
            sum += each[c];
            counted++;
        }
        for (int i = 0; i < COUNT; i++) {
            all += truth[i] != LABEL_IGNORED;
            right += truth[i] == predicted[i];
        }
        ck_assert_double_eq(mean, sum / counted);
        ck_assert_double_eq(confusion_accuracy(&confusion), (double)right / all);
        arena_free(arena);
    }
}
END_TEST

static void count_two(Confusion *confusion, int truth_0, int predicted_0, int truth_1, int predicted_1)
{
    const int truth[] = {truth_0, truth_1}, predicted[] = {predicted_0, predicted_1};
    confusion_count(confusion, truth, predicted, 2);
}

START_TEST(a_class_that_is_only_predicted_counts_as_nothing_right)
{
    Arena *arena = arena_new();
    Confusion confusion = confusion_new(arena, 3);
    count_two(&confusion, 0, 0, 0, 1);
    ck_assert_double_eq(confusion_iou(&confusion, 0), 0.5);
    ck_assert_double_eq(confusion_iou(&confusion, 1), 0.0);
    ck_assert(isnan(confusion_iou(&confusion, 2)));
    ck_assert_double_eq(confusion_mean_iou(&confusion, NULL), 0.25);
    arena_free(arena);
}
END_TEST

START_TEST(nothing_counted_is_no_number)
{
    Arena *arena = arena_new();
    Confusion confusion = confusion_new(arena, 2);
    double each[2] = {0.0, 0.0};
    ck_assert(isnan(confusion_mean_iou(&confusion, each)) && isnan(each[0]) && isnan(each[1]));
    ck_assert(isnan(confusion_accuracy(&confusion)));
    count_two(&confusion, -1, 7, -1, -3); // ignored, whatever was predicted
    ck_assert(isnan(confusion_mean_iou(&confusion, NULL)));
    arena_free(arena);
}
END_TEST

typedef struct {
    int truth, predicted, classes;
} Example;

static void count_one(void *context)
{
    const Example *e = context;
    Confusion confusion = confusion_new(arena_new(), e->classes);
    count_two(&confusion, 0, 0, e->truth, e->predicted);
}

START_TEST(labels_that_are_no_class_stop_the_program)
{
    expect_death(count_one, (&(Example){2, 0, 2}), "the truth of example 1 is 2, and there are 2 classes");
    expect_death(count_one, (&(Example){-2, 0, 2}), "the truth of example 1 is -2");
    expect_death(count_one, (&(Example){0, 2, 2}), "example 1 was called 2, and there are 2 classes");
    expect_death(count_one, (&(Example){0, -1, 2}), "example 1 was called -1");
    expect_death(count_one, (&(Example){0, 0, 0}), "0 classes");
}
END_TEST

// ---- Noise ---------------------------------------------------------------------------------------------------------------

START_TEST(the_peak_signal_to_noise_ratio_is_its_formula)
{
    Rng rng = rng_new(2, 1);
    for (int trial = 0; trial < 200; trial++) {
        Arena *arena = arena_new();
        const int rows = 1 + (int)rng_below(&rng, 20), cols = 1 + (int)rng_below(&rng, 4);
        const float peak = trial % 3 == 0   ? 1.0f
                           : trial % 3 == 1 ? 255.0f
                                            : 1e-20f,
                    noise = peak * exp32(-0.2f * (float)(trial % 60));
        Matrix a = matrix_new(arena, rows, cols), b = matrix_new(arena, rows, cols);
        long double squares = 0.0L;
        for (size_t i = 0; i < matrix_size(a); i++) {
            a.data[i] = peak * rng_uniform(&rng);
            b.data[i] = a.data[i] + noise * rng_normal(&rng);
            squares += ((long double)a.data[i] - (long double)b.data[i]) *
                       ((long double)a.data[i] - (long double)b.data[i]);
        }
        const long double mean = squares / (rows * cols);
        const double expected = (double)(10.0L * log10l((long double)peak * (long double)peak / mean));
        ck_assert_double_eq_tol(peak_signal_noise_ratio(a, b, peak), expected, 1e-6);
        ck_assert_double_eq(peak_signal_noise_ratio(b, a, peak), peak_signal_noise_ratio(a, b, peak));
        arena_free(arena);
    }
}
END_TEST

START_TEST(equal_images_have_no_noise)
{
    Arena *arena = arena_new();
    Matrix a = matrix_new(arena, 3, 2), b = matrix_new(arena, 3, 2);
    ck_assert(peak_signal_noise_ratio(a, b, 1.0f) == (double)INFINITY);
    AT(a, 2, 1) = 1.0f;
    ck_assert_double_eq_tol(peak_signal_noise_ratio(a, b, 1.0f), 10.0 * log10(6.0), 1e-6);
    AT(a, 0, 0) = NAN;
    ck_assert(isnan(peak_signal_noise_ratio(a, b, 1.0f)));
    AT(a, 0, 0) = INFINITY;
    ck_assert(isnan(peak_signal_noise_ratio(a, b, 1.0f)));
    AT(b, 0, 0) = INFINITY; // of both, the difference is none
    ck_assert(isnan(peak_signal_noise_ratio(a, b, 1.0f)));
    AT(a, 0, 0) = 1e38f; // far beyond the peak
    AT(b, 0, 0) = -1e38f;
    ck_assert_double_eq_tol(peak_signal_noise_ratio(a, b, 1.0f), -10.0 * (log10(4.0 / 6.0) + 76.0), 1e-4);
    arena_free(arena);
}
END_TEST

typedef struct {
    int rows, cols;
    float peak;
} Pair;

static void compare(void *context)
{
    const Pair *p = context;
    Arena *arena = arena_new();
    peak_signal_noise_ratio(matrix_new(arena, 2, 3), matrix_new(arena, p->rows, p->cols), p->peak);
}

START_TEST(other_shapes_and_peaks_stop_the_program)
{
    expect_death(compare, (&(Pair){3, 2, 1.0f}), "peak_signal_noise_ratio: (2 × 3) and (3 × 2)");
    expect_death(compare, (&(Pair){2, 3, 0.0f}), "a peak of 0");
    expect_death(compare, (&(Pair){2, 3, NAN}), "a peak of nan");
    expect_death(compare, (&(Pair){2, 3, INFINITY}), "a peak of inf");
}
END_TEST

SUITE("metrics", overlap_of_classes_is_counted_one_by_one,
      a_class_that_is_only_predicted_counts_as_nothing_right, nothing_counted_is_no_number,
      labels_that_are_no_class_stop_the_program, the_peak_signal_to_noise_ratio_is_its_formula,
      equal_images_have_no_noise, other_shapes_and_peaks_stop_the_program)
