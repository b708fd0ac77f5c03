// Boxes: how far two agree, which of many stay, and how good a list is, against slow versions in whole numbers.
#include "base/rng.h"
#include "models/boxes.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 60 };

// ---- Agreement -----------------------------------------------------------------------------------------------------------

// Boxes of whole numbers from 0 to 15: the pixels of both, and of either, counted one by one
static void count_pixels(Box a, Box b, int *both, int *either)
{
    *both = *either = 0;
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 16; x++) {
            const bool in_a =
                (float)y >= a.top && (float)y < a.bottom && (float)x >= a.left && (float)x < a.right;
            const bool in_b =
                (float)y >= b.top && (float)y < b.bottom && (float)x >= b.left && (float)x < b.right;
            *both += in_a && in_b;
            *either += in_a || in_b;
        }
}

static Box random_box(Rng *rng, int most_side)
{
    const int top = (int)rng_below(rng, 10), left = (int)rng_below(rng, 10);
    const int height = (int)rng_below(rng, (uint32_t)most_side),
              width = (int)rng_below(rng, (uint32_t)most_side);
    return (Box){(float)top, (float)left, (float)(top + height), (float)(left + width)}; // some are empty
}

START_TEST(intersection_over_union_counts_pixels)
{
    Rng rng = rng_new(1, 1);
    for (int i = 0; i < 2000; i++) {
        const Box a = random_box(&rng, 6), b = random_box(&rng, 6);
        int both, either;
        count_pixels(a, b, &both, &either);
        const double expected = both ? (double)both / either : 0.0;
        ck_assert_double_eq(box_iou(a, b), expected);
        ck_assert_double_eq(box_iou(b, a), expected);
    }
    ck_assert_double_eq(box_area((Box){1.5f, 2.0f, 3.0f, 6.0f}), 6.0);
}
END_TEST

START_TEST(boxes_that_touch_or_are_empty_have_nothing_in_common)
{
    const Box box = {0, 0, 2, 2}, empty = {1, 1, 1, 1}, flat = {0, 1, 2, 1}, turned = {2, 2, 0, 0};
    ck_assert_double_eq(box_iou(box, (Box){0, 2, 2, 4}), 0.0);
    ck_assert_double_eq(box_iou(box, (Box){2, 0, 4, 2}), 0.0);
    ck_assert_double_eq(box_iou(box, (Box){2, 2, 4, 4}), 0.0);
    ck_assert_double_eq(box_iou(box, box), 1.0);
    ck_assert_double_eq(box_iou(empty, empty), 0.0);
    ck_assert_double_eq(box_iou(flat, flat), 0.0);
    ck_assert_double_eq(box_iou(box, flat), 0.0);
    ck_assert_double_eq(box_iou(turned, turned), 0.0);
    ck_assert_double_eq(box_iou(box, turned), 0.0);
    ck_assert_double_eq(box_area(turned), 0.0);
    const float odd[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        const Box bad = {odd[i], 0, 2, 2}, worse = {0, 0, odd[i], 2};
        ck_assert_double_eq(box_area(bad), 0.0);
        ck_assert_double_eq(box_iou(box, bad), 0.0);
        ck_assert_double_eq(box_iou(worse, box), 0.0);
        ck_assert_double_eq(box_iou(worse, worse), 0.0);
    }
    const Box huge = {-3e38f, -3e38f, 3e38f, 3e38f};
    ck_assert_double_eq(box_iou(huge, huge), 1.0);
}
END_TEST

// ---- Suppression ---------------------------------------------------------------------------------------------------------

static int random_list(Detection *list, int most, Rng *rng)
{
    const int count = (int)rng_below(rng, (uint32_t)most + 1);
    for (int i = 0; i < count; i++) {
        const int score = (int)rng_below(rng, 8); // many are equal
        const int label = (int)rng_below(rng, 3), image = (int)rng_below(rng, 3);
        list[i] = (Detection){random_box(rng, 6), (float)score / 8.0f, label, image - 1};
    }
    return count;
}

// The definition: take the best of those that are left, strike out what agrees with it by more than tenths / 10. Numbers of
// those that stay.
static int slow_suppression(int *kept, const Detection *list, int count, int tenths, NmsKind kind)
{
    bool left[MOST];
    int found = 0;
    for (int i = 0; i < count; i++) left[i] = true;
    for (;;) {
        int best = -1;
        for (int i = count - 1; i >= 0; i--)
            if (left[i] && (best < 0 || list[i].score >= list[best].score)) best = i;
        if (best < 0) return found;
        kept[found++] = best;
        left[best] = false;
        for (int i = 0; i < count; i++) {
            int both, either;
            count_pixels(list[i].box, list[best].box, &both, &either);
            const bool meet =
                list[i].image == list[best].image && (kind == NMS_ALL || list[i].label == list[best].label);
            if (meet && 10 * both > tenths * either) left[i] = false;
        }
    }
}

static bool same_detection(Detection a, Detection b)
{
    return a.score == b.score && a.label == b.label && a.image == b.image && a.box.top == b.box.top &&
           a.box.left == b.box.left && a.box.bottom == b.box.bottom && a.box.right == b.box.right;
}

START_TEST(suppression_keeps_what_its_definition_keeps)
{
    Rng rng = rng_new(2, 1);
    for (int trial = 0; trial < 600; trial++) {
        Detection list[MOST], before[MOST];
        int expected[MOST];
        const int count = random_list(list, MOST, &rng);
        memcpy(before, list, sizeof before);
        const int tenths = trial % 11;
        const NmsKind kind = trial % 2 ? NMS_ALL : NMS_PER_LABEL;
        const int expected_count = slow_suppression(expected, before, count, tenths, kind);
        const int kept = non_maximum_suppression(list, count, tenths / 10.0, kind);
        ck_assert_int_eq(kept, expected_count);
        for (int i = 0; i < kept; i++)
            ck_assert_msg(same_detection(list[i], before[expected[i]]), "trial %d: box %d is another", trial,
                          i);
        bool taken[MOST] = {false}; // what was suppressed stands behind, each once
        for (int i = 0; i < count; i++) {
            int j = 0;
            while (j < count && (taken[j] || !same_detection(list[i], before[j]))) j++;
            ck_assert_msg(j < count, "trial %d: a box that was not there", trial);
            taken[j] = true;
            if (i > kept) ck_assert(list[i - 1].score >= list[i].score);
        }
    }
}
END_TEST

START_TEST(just_at_the_threshold_both_boxes_stay)
{
    // 1 of 2 columns in common: 1/3 of the area of both
    Detection two[] = {{{0, 0, 1, 2}, 0.5f, 0, 0}, {{0, 1, 1, 3}, 0.5f, 0, 0}};
    ck_assert_int_eq(non_maximum_suppression(two, 2, 1.0 / 3.0, NMS_ALL), 2);
    ck_assert_float_eq(two[0].box.left, 0); // the order of equals
    ck_assert_int_eq(non_maximum_suppression(two, 2, 0.33, NMS_ALL), 1);
    ck_assert_float_eq(two[0].box.left, 0);
    ck_assert_int_eq(non_maximum_suppression(two, 0, 0.5, NMS_ALL), 0);
    ck_assert_int_eq(non_maximum_suppression(NULL, 0, 0.5, NMS_ALL), 0);
}
END_TEST

START_TEST(a_box_that_was_suppressed_suppresses_none)
{
    // Each agrees with its neighbour by 3/5, and with the next but one by 1/3
    Detection chain[] = {{{0, 0, 1, 4}, 0.9f, 0, 0}, {{0, 1, 1, 5}, 0.8f, 0, 0}, {{0, 2, 1, 6}, 0.7f, 0, 0}};
    ck_assert_int_eq(non_maximum_suppression(chain, 3, 0.5, NMS_ALL), 2);
    ck_assert_float_eq(chain[0].score, 0.9f);
    ck_assert_float_eq(chain[1].score, 0.7f);
}
END_TEST

// ---- Average precision ---------------------------------------------------------------------------------------------------

// Of the first `first` detections of the label in order, how many are right: matched anew, one after the other.
static int slow_right(const Detection *sorted, int first, const TrueBox *truths, int truth_count, int label,
                      int tenths)
{
    bool found[MOST] = {false};
    int right = 0;
    for (int d = 0; d < first; d++) {
        int best = -1, best_both = 0, best_either = 1;
        for (int t = 0; t < truth_count; t++) {
            int both, either;
            if (truths[t].image != sorted[d].image || (label >= 0 && truths[t].label != label)) continue;
            count_pixels(sorted[d].box, truths[t].box, &both, &either);
            if (both * best_either > best_both * either) best = t, best_both = both, best_either = either;
        }
        if (best >= 0 && 10 * best_both >= tenths * best_either && !found[best]) {
            found[best] = true;
            right++;
        }
    }
    return right;
}

// For each true box, the m-th: the best precision at which m are found; their mean
static double slow_average(const Detection *list, int count, const TrueBox *truths, int truth_count,
                           int label, int tenths)
{
    Detection sorted[MOST];
    int chosen = 0, relevant = 0;
    for (int score = 8; score >= 0; score--)
        for (int i = 0; i < count; i++)
            if ((int)(list[i].score * 8.0f) == score && (label < 0 || list[i].label == label))
                sorted[chosen++] = list[i];
    for (int t = 0; t < truth_count; t++) relevant += label < 0 || truths[t].label == label;
    if (!relevant) return (double)NAN;
    double sum = 0.0;
    for (int m = 1; m <= relevant; m++) {
        double best = 0.0;
        for (int first = 1; first <= chosen; first++) {
            const int right = slow_right(sorted, first, truths, truth_count, label, tenths);
            if (right >= m) best = fmax(best, (double)right / first);
        }
        sum += best;
    }
    return sum / relevant;
}

static bool same_number(double a, double b) { return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-12; }

START_TEST(average_precision_is_what_its_definition_says)
{
    enum { LABELS = 4 }; // the last is in no list
    Rng rng = rng_new(3, 1);
    for (int trial = 0; trial < 150; trial++) {
        Detection list[MOST], boxes[MOST];
        TrueBox truths[MOST];
        const int count = random_list(list, 25, &rng);
        const int truth_count = trial % 10 ? random_list(boxes, 12, &rng) : 0, tenths = trial % 8;
        for (int t = 0; t < truth_count; t++)
            truths[t] = (TrueBox){boxes[t].box, boxes[t].label, boxes[t].image};
        for (int i = 0; i < count && truth_count; i += 2) { // some find one, and some the same one again
            const TrueBox truth = truths[rng_below(&rng, (uint32_t)truth_count)];
            list[i].box = truth.box;
            list[i].image = truth.image;
            list[i].label = truth.label;
        }
        double each[LABELS], sum = 0.0;
        int counted = 0;
        const double mean =
            mean_average_precision(list, count, truths, truth_count, LABELS, tenths / 10.0, each);
        for (int label = ALL_LABELS; label < LABELS; label++) {
            const double expected = slow_average(list, count, truths, truth_count, label, tenths),
                         got = average_precision(list, count, truths, truth_count, label, tenths / 10.0);
            ck_assert_msg(same_number(got, expected), "trial %d, label %d: got %g, expected %g", trial, label,
                          got, expected);
            if (label < 0) continue;
            ck_assert_msg(same_number(each[label], expected),
                          "trial %d, label %d: %g in the list of the mean", trial, label, each[label]);
            if (isnan(expected)) continue;
            sum += expected;
            counted++;
        }
        ck_assert(same_number(mean, counted ? sum / counted : (double)NAN));
    }
}
END_TEST

START_TEST(a_second_detection_of_one_object_is_false)
{
    const TrueBox truths[] = {{{0, 0, 10, 10}, 0, 0}, {{0, 20, 10, 30}, 0, 0}};
    // right, the same again, right: precisions 1, 1/2, 2/3; the envelope is 1 and 2/3
    const Detection list[] = {
        {{0, 0, 10, 10}, 0.9f, 0, 0}, {{0, 1, 10, 10}, 0.8f, 0, 0}, {{0, 20, 10, 30}, 0.7f, 0, 0}};
    ck_assert_double_eq(average_precision(list, 3, truths, 2, 0, 0.5), (1.0 + 2.0 / 3.0) / 2.0);
    // the same box in another image finds nothing
    const Detection elsewhere[] = {{{0, 0, 10, 10}, 0.9f, 0, 1}};
    ck_assert_double_eq(average_precision(elsewhere, 1, truths, 2, 0, 0.5), 0.0);
    // of another label: only where labels do not count
    const Detection other[] = {{{0, 0, 10, 10}, 0.9f, 1, 0}};
    ck_assert_double_eq(average_precision(other, 1, truths, 2, 0, 0.5), 0.0);
    ck_assert_double_eq(average_precision(other, 1, truths, 2, ALL_LABELS, 0.5), 0.5);
    ck_assert(isnan(average_precision(other, 1, truths, 2, 1, 0.5)));
    // A threshold that is just reached, and one that is not
    const Detection half[] = {{{0, 0, 10, 5}, 0.9f, 0, 0}};
    ck_assert_double_eq(average_precision(half, 1, truths, 1, 0, 0.5), 1.0);
    ck_assert_double_eq(average_precision(half, 1, truths, 1, 0, 0.51), 0.0);
    ck_assert_double_eq(average_precision(NULL, 0, truths, 2, 0, 0.5), 0.0);
    ck_assert(isnan(average_precision(list, 3, NULL, 0, 0, 0.5)));
    ck_assert(isnan(mean_average_precision(list, 3, NULL, 0, 1, 0.5, NULL)));
    // Between two true boxes, the first is found; so the second detection, which is exactly that one, is false
    const TrueBox sides[] = {{{0, 0, 10, 4}, 0, 0}, {{0, 4, 10, 8}, 0, 0}};
    const Detection between[] = {{{0, 2, 10, 6}, 0.9f, 0, 0}, {{0, 0, 10, 4}, 0.8f, 0, 0}};
    ck_assert_double_eq(average_precision(between, 2, sides, 2, 0, 0.3), 0.5);
    // With a threshold of 0, nothing in common is still nothing
    const Detection apart[] = {{{50, 50, 60, 60}, 0.9f, 0, 0}};
    ck_assert_double_eq(average_precision(apart, 1, truths, 2, 0, 0.0), 0.0);
}
END_TEST

START_TEST(the_curve_is_that_of_the_list)
{
    Arena *arena = arena_new();
    const TrueBox truths[] = {{{0, 0, 1, 1}, 2, 5}, {{0, 0, 1, 1}, 2, 6}, {{0, 0, 1, 1}, 0, 5}};
    const Detection list[] = {{{0, 0, 1, 1}, 0.25f, 2, 6},
                              {{0, 0, 1, 1}, 0.75f, 2, 7},
                              {{0, 0, 1, 1}, 0.5f, 0, 5},
                              {{0, 0, 1, 1}, 0.75f, 2, 5}};
    const PrecisionRecall curve = precision_recall(arena, list, 4, truths, 3, 2, 0.5);
    ck_assert_int_eq(curve.count, 3);
    ck_assert_int_eq(curve.truths, 2);
    const double precision[] = {0.0, 1.0 / 2.0, 2.0 / 3.0}, recall[] = {0.0, 0.5, 1.0};
    const float score[] = {0.75f, 0.75f, 0.25f};
    for (int i = 0; i < 3; i++) {
        ck_assert_double_eq(curve.precision[i], precision[i]);
        ck_assert_double_eq(curve.recall[i], recall[i]);
        ck_assert_float_eq(curve.score[i], score[i]);
        ck_assert_int_eq(curve.right[i], i > 0);
    }
    ck_assert_int_eq(precision_recall(arena, list, 4, truths, 3, 7, 0.5).count, 0);
    ck_assert(isnan(precision_recall(arena, list, 4, truths, 0, 2, 0.5).recall[0]));
    arena_free(arena);
}
END_TEST

// ---- Long lists ----------------------------------------------------------------------------------------------------------

START_TEST(a_hundred_thousand_boxes_take_seconds)
{
    enum { MANY = UNDER_ASAN ? 20000 : 100000 };
    Detection *list = calloc(MANY, sizeof *list);
    TrueBox *truths = calloc(MANY, sizeof *truths);
    ck_assert(list && truths);
    Rng rng = rng_new(4, 1);
    for (int i = 0; i < MANY; i++) { // all of one image, and hardly any suppressed
        const float y = rng_uniform(&rng) * 1e4f, x = rng_uniform(&rng) * 1e4f;
        list[i] = (Detection){{y, x, y + 8.0f, x + 8.0f}, rng_uniform(&rng), 0, 0};
    }
    const int kept = non_maximum_suppression(list, MANY, 0.5, NMS_ALL);
    ck_assert_int_lt(kept, MANY);
    ck_assert_int_gt(kept, MANY * 9 / 10);
    for (int i = 1; i < kept; i++) ck_assert(list[i - 1].score >= list[i].score);
    for (int i = 0; i < MANY; i++) { // 1000 images of 10 labels
        list[i].image = i % 1000;
        list[i].label = i / 1000 % 10;
        truths[i] = (TrueBox){list[i].box, list[i].label, list[i].image};
    }
    ck_assert_double_eq(mean_average_precision(list, MANY, truths, MANY, 10, 0.5, NULL), 1.0);
    free(list);
    free(truths);
}
END_TEST

// ---- What is refused -----------------------------------------------------------------------------------------------------

typedef struct {
    Detection detection;
    TrueBox truth;
    double threshold;
    bool suppress;
} Bad;

static void measure(void *context)
{
    Bad *bad = context;
    if (bad->suppress)
        non_maximum_suppression(&bad->detection, 1, bad->threshold, NMS_ALL);
    else
        mean_average_precision(&bad->detection, 1, &bad->truth, 1, 3, bad->threshold, NULL);
}

START_TEST(what_is_no_number_stops_the_program)
{
    const Bad good = {{{0, 0, 1, 1}, 0.5f, 0, 0}, {{0, 0, 1, 1}, 0, 0}, 0.5, false};
    for (int suppress = 0; suppress < 2; suppress++) {
        Bad bad = good;
        bad.suppress = suppress;
        bad.detection.score = NAN;
        expect_death(measure, &bad, "detection 0 has the score nan");
        bad.detection.score = INFINITY;
        expect_death(measure, &bad, "detection 0 has the score inf");
        bad.detection = good.detection;
        bad.detection.box.left = -INFINITY;
        expect_death(measure, &bad, "detection 0 has the box (0, -inf, 1, 1)");
        bad.detection = good.detection;
        bad.detection.label = -1;
        expect_death(measure, &bad, "detection 0 has the label -1");
        bad.detection = good.detection;
        bad.threshold = 1.5;
        expect_death(measure, &bad, "a threshold of 1.5");
        bad.threshold = NAN;
        expect_death(measure, &bad, "a threshold of nan");
    }
    Bad bad = good;
    bad.truth.box.bottom = NAN;
    expect_death(measure, &bad, "true box 0 has the box (0, 0, nan, 1)");
    bad = good;
    bad.truth.label = 3;
    expect_death(measure, &bad, "true box 0 has the label 3 of 3");
    bad = good;
    bad.detection.label = 4;
    expect_death(measure, &bad, "detection 0 has the label 4 of 3");
}
END_TEST

SUITE("boxes", intersection_over_union_counts_pixels, boxes_that_touch_or_are_empty_have_nothing_in_common,
      suppression_keeps_what_its_definition_keeps, just_at_the_threshold_both_boxes_stay,
      a_box_that_was_suppressed_suppresses_none, average_precision_is_what_its_definition_says,
      a_second_detection_of_one_object_is_false, the_curve_is_that_of_the_list,
      a_hundred_thousand_boxes_take_seconds, what_is_no_number_stops_the_program)
