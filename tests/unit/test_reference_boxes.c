// Boxes, confusions and noise against torchvision, scikit-learn and scikit-image: the numbers of tests/reference/boxes.txt.
#include "reference_numbers.h"
#include "learning/metrics.h"
#include "models/boxes.h"

static Matrix row_of_doubles(Arena *arena, const double *values, int count)
{
    Matrix m = matrix_new(arena, 1, count);
    for (int i = 0; i < count; i++) m.data[i] = (float)values[i];
    return m;
}

static Box box_of(Matrix boxes, int i)
{
    return (Box){AT(boxes, i, 0), AT(boxes, i, 1), AT(boxes, i, 2), AT(boxes, i, 3)};
}

START_TEST(intersection_over_union)
{
    Reference r = reference_open("boxes");
    const Matrix boxes = given(&r, "boxes");
    Matrix iou = matrix_new(r.arena, boxes.rows, boxes.rows);
    for (int i = 0; i < boxes.rows; i++)
        for (int j = 0; j < boxes.rows; j++)
            AT(iou, i, j) = (float)box_iou(box_of(boxes, i), box_of(boxes, j));
    expect_within(&r, "iou", iou, 1e-7);
    reference_close(&r);
}
END_TEST

// Which boxes stay, the surest first, by their numbers; the score of each is its own
static void expect_kept(const Reference *r, const char *name, double threshold, NmsKind kind)
{
    const Matrix boxes = given(r, "boxes"), scores = given(r, "scores");
    const int *labels = whole_numbers(r, "labels");
    Detection *detections = arena_zeros(r->arena, (size_t)boxes.rows, sizeof *detections);
    for (int i = 0; i < boxes.rows; i++)
        detections[i] = (Detection){box_of(boxes, i), scores.data[i], labels[i], 0};
    const int kept = non_maximum_suppression(detections, boxes.rows, threshold, kind);
    Matrix numbers = matrix_new(r->arena, 1, kept);
    for (int i = 0; i < kept; i++) {
        int number = 0;
        while (scores.data[number] != detections[i].score) number++;
        numbers.data[i] = (float)number;
    }
    expect_within(r, name, numbers, 0.0);
}

START_TEST(suppression)
{
    Reference r = reference_open("boxes");
    expect_kept(&r, "nms.20", 0.2, NMS_ALL);
    expect_kept(&r, "nms.50", 0.5, NMS_ALL);
    expect_kept(&r, "nms.80", 0.8, NMS_ALL);
    expect_kept(&r, "nms_per_label.20", 0.2, NMS_PER_LABEL);
    expect_kept(&r, "nms_per_label.50", 0.5, NMS_PER_LABEL);
    expect_kept(&r, "nms_per_label.80", 0.8, NMS_PER_LABEL);
    reference_close(&r);
}
END_TEST

START_TEST(precision_and_recall)
{
    enum { MISSED = 4 };
    Reference r = reference_open("boxes");
    const Matrix scores = given(&r, "scores");
    const int count = scores.cols, *found = whole_numbers(&r, "found");
    Detection *detections = arena_zeros(r.arena, (size_t)count, sizeof *detections);
    TrueBox *truths = arena_zeros(r.arena, (size_t)count + MISSED, sizeof *truths);
    int truth_count = 0;
    for (int i = 0; i < count; i++) {
        detections[i] = (Detection){{0, 0, 1, 1}, scores.data[i], 0, i};
        if (found[i]) truths[truth_count++] = (TrueBox){{0, 0, 1, 1}, 0, i};
    }
    for (int i = 0; i < MISSED; i++) truths[truth_count++] = (TrueBox){{0, 0, 1, 1}, 0, count + i};
    const double area = average_precision(detections, count, truths, truth_count, 0, 0.5);
    expect_within(&r, "average_precision", row_of_doubles(r.arena, &area, 1), 1e-7);
    reference_close(&r);
}
END_TEST

START_TEST(confusions)
{
    enum { CLASSES = 7 }; // the last is nowhere
    Reference r = reference_open("boxes");
    Confusion confusion = confusion_new(r.arena, CLASSES);
    confusion_count(&confusion, whole_numbers(&r, "truth"), whole_numbers(&r, "predicted"),
                    given(&r, "truth").cols);
    double each[CLASSES], sum = 0.0;
    const double mean = confusion_mean_iou(&confusion, each), accuracy = confusion_accuracy(&confusion);
    expect_within(&r, "jaccard", row_of_doubles(r.arena, each, CLASSES - 1), 1e-7);
    expect_within(&r, "accuracy", row_of_doubles(r.arena, &accuracy, 1), 1e-7);
    for (int i = 0; i < CLASSES - 1; i++) sum += (double)given(&r, "jaccard").data[i];
    ck_assert_double_eq_tol(mean, sum / (CLASSES - 1), 1e-7);
    ck_assert(isnan(each[CLASSES - 1]));
    reference_close(&r);
}
END_TEST

START_TEST(noise)
{
    Reference r = reference_open("boxes");
    const Matrix image = given(&r, "image"), noisy = given(&r, "noisy");
    Matrix bytes = matrix_copy(r.arena, image), noisy_bytes = matrix_copy(r.arena, noisy);
    scale(bytes, 255.0f);
    scale(noisy_bytes, 255.0f);
    const double decibels[] = {peak_signal_noise_ratio(image, noisy, 1.0f),
                               peak_signal_noise_ratio(bytes, noisy_bytes, 255.0f),
                               peak_signal_noise_ratio(image, noisy, 2.0f)};
    expect_within(&r, "psnr", row_of_doubles(r.arena, decibels, 3), 1e-6);
    reference_close(&r);
}
END_TEST

SUITE("reference boxes", intersection_over_union, suppression, precision_and_recall, confusions, noise)
