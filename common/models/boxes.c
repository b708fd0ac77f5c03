// boxes.c: see boxes.h.
#include "models/boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

// A side from low to high; 0 when it is turned round, or one end is NaN.
static double extent(double low, double high) { return high > low ? high - low : 0.0; }

static bool is_finite_box(Box box)
{
    return isfinite(box.top) && isfinite(box.left) && isfinite(box.bottom) && isfinite(box.right);
}

double box_area(Box box)
{
    const double area = extent(box.top, box.bottom) * extent(box.left, box.right);
    return is_finite_box(box) ? area : 0.0;
}

// Of two boxes that are finite, with their areas.
static double iou_of(Box a, double area_a, Box b, double area_b)
{
    const double height = least(a.bottom, b.bottom) - most(a.top, b.top);
    const double width = least(a.right, b.right) - most(a.left, b.left);
    const double both = most(height, 0.0) * most(width, 0.0);
    return both > 0.0 ? both / (area_a + area_b - both) : 0.0;
}

double box_iou(Box a, Box b)
{
    const double area_a = box_area(a), area_b = box_area(b);
    return area_a > 0.0 && area_b > 0.0 ? iou_of(a, area_a, b, area_b) : 0.0;
}

static void check_box(Place place, const char *name, const char *what, int i, Box box)
{
    check_at(place, is_finite_box(box), "look for a division by zero or a run that diverged",
             "%s: %s %d has the box (%g, %g, %g, %g)", name, what, i, (double)box.top, (double)box.left,
             (double)box.bottom, (double)box.right);
}

static void check_detections(Place place, const char *name, const Detection *detections, int count)
{
    check_at(place, count >= 0, "a list has 0 or more", "%s: %d detections", name, count);
    for (int i = 0; i < count; i++) {
        check_box(place, name, "detection", i, detections[i].box);
        check_at(place, isfinite(detections[i].score), "look for a division by zero or a run that diverged",
                 "%s: detection %d has the score %g", name, i, (double)detections[i].score);
        check_at(place, detections[i].label >= 0, "classes count from 0", "%s: detection %d has the label %d",
                 name, i, detections[i].label);
    }
}

static void check_threshold(Place place, const char *name, double threshold)
{
    check_at(place, threshold >= 0.0 && threshold <= 1.0, "an IoU is from 0 to 1", "%s: a threshold of %g",
             name, threshold);
}

// ---- Non-maximum suppression ---------------------------------------------------------------------------------------------

typedef struct {
    Detection detection;
    int number; // in the caller's list
} Numbered;

static int by_score(const void *a, const void *b)
{
    const Numbered *x = a, *y = b;
    if (x->detection.score != y->detection.score) return x->detection.score > y->detection.score ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static int compare_ints(int a, int b) { return (a > b) - (a < b); }

// Those that can suppress each other stand together: the boxes of an image, or of an image and a label.
static int by_group(const void *a, const void *b)
{
    const Numbered *x = a, *y = b;
    const int image = compare_ints(x->detection.image, y->detection.image);
    return image ? image : by_score(a, b);
}

static int by_group_and_label(const void *a, const void *b)
{
    const Numbered *x = a, *y = b;
    const int image = compare_ints(x->detection.image, y->detection.image);
    const int label = compare_ints(x->detection.label, y->detection.label);
    return image ? image : label ? label : by_score(a, b);
}

// Whether each of the boxes, the surest first, stays. areas [count], stays [count].
static void suppress(const Numbered *boxes, const double *areas, unsigned char *stays, int count,
                     double threshold)
{
    memset(stays, 1, (size_t)count);
    for (int i = 0; i < count; i++) {
        if (!stays[i] || areas[i] <= 0.0) continue; // an empty box has an IoU of 0 with all
        const Box box = boxes[i].detection.box;
        for (int j = i + 1; j < count; j++) {
            const Box other = boxes[j].detection.box;
            // most pairs have nothing in common
            if (!(other.left < box.right && box.left < other.right && other.top < box.bottom &&
                  box.top < other.bottom))
                continue;
            if (iou_of(box, areas[i], other, areas[j]) > threshold) stays[j] = 0;
        }
    }
}

int non_maximum_suppression_at(Place place, Detection *detections, int count, double threshold, NmsKind kind)
{
    check_detections(place, "non_maximum_suppression", detections, count);
    check_threshold(place, "non_maximum_suppression", threshold);
    if (count == 0) return 0;
    Arena *arena = arena_new();
    Numbered *boxes = arena_alloc_at(place, arena, (size_t)count, sizeof *boxes);
    double *areas = arena_alloc_at(place, arena, (size_t)count, sizeof *areas);
    unsigned char *stays = arena_alloc_at(place, arena, (size_t)count, 1);
    for (int i = 0; i < count; i++) boxes[i] = (Numbered){detections[i], i};
    qsort(boxes, (size_t)count, sizeof *boxes, kind == NMS_ALL ? by_group : by_group_and_label);
    for (int i = 0; i < count; i++) areas[i] = box_area(boxes[i].detection.box);
    for (int first = 0, end; first < count; first = end) {
        const Detection group = boxes[first].detection;
        for (end = first + 1; end < count && boxes[end].detection.image == group.image &&
                              (kind == NMS_ALL || boxes[end].detection.label == group.label);)
            end++;
        suppress(boxes + first, areas + first, stays + first, end - first, threshold);
    }
    int kept = 0;
    Numbered *out = arena_alloc_at(place, arena, (size_t)count, sizeof *out);
    for (int i = 0; i < count; i++)
        if (stays[i]) out[kept++] = boxes[i];
    for (int i = 0, behind = kept; i < count; i++)
        if (!stays[i]) out[behind++] = boxes[i];
    qsort(out, (size_t)kept, sizeof *out, by_score);
    qsort(out + kept, (size_t)(count - kept), sizeof *out, by_score);
    for (int i = 0; i < count; i++) detections[i] = out[i].detection;
    arena_free(arena);
    return kept;
}

// ---- Average precision ---------------------------------------------------------------------------------------------------

typedef struct {
    Box box;
    int image;
    int number; // in the caller's list
    bool found;
} Target;

static int by_image(const void *a, const void *b)
{
    const Target *x = a, *y = b;
    const int image = compare_ints(x->image, y->image);
    return image ? image : compare_ints(x->number, y->number);
}

// The first of the targets, sorted by image, that is of this image or a later one.
static int first_of_image(const Target *targets, int count, int image)
{
    int low = 0, high = count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (targets[middle].image < image)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The target of the image with which the box has the largest IoU, and that IoU; NULL when it has nothing in common with any.
static Target *nearest(Target *targets, int count, int image, Box box, double *iou)
{
    Target *best = NULL;
    *iou = 0.0;
    for (int i = first_of_image(targets, count, image); i < count && targets[i].image == image; i++) {
        const double with = box_iou(box, targets[i].box);
        if (with > *iou) {
            best = &targets[i];
            *iou = with;
        }
    }
    return best;
}

static Target *targets_of(Place place, Arena *arena, const TrueBox *truths, int count, int label, int *found)
{
    Target *targets = arena_alloc_at(place, arena, (size_t)count, sizeof *targets);
    *found = 0;
    for (int i = 0; i < count; i++)
        if (label == ALL_LABELS || truths[i].label == label)
            targets[(*found)++] = (Target){truths[i].box, truths[i].image, i, false};
    if (*found) qsort(targets, (size_t)*found, sizeof *targets, by_image);
    return targets;
}

static Numbered *detections_of(Place place, Arena *arena, const Detection *detections, int count, int label,
                               int *found)
{
    Numbered *boxes = arena_alloc_at(place, arena, (size_t)count, sizeof *boxes);
    *found = 0;
    for (int i = 0; i < count; i++)
        if (label == ALL_LABELS || detections[i].label == label)
            boxes[(*found)++] = (Numbered){detections[i], i};
    if (*found) qsort(boxes, (size_t)*found, sizeof *boxes, by_score);
    return boxes;
}

static void check_lists(Place place, const char *name, const Detection *detections, int count,
                        const TrueBox *truths, int truth_count, double iou)
{
    check_detections(place, name, detections, count);
    check_at(place, truth_count >= 0, "a list has 0 or more", "%s: %d true boxes", name, truth_count);
    for (int i = 0; i < truth_count; i++) {
        check_box(place, name, "true box", i, truths[i].box);
        check_at(place, truths[i].label >= 0, "classes count from 0", "%s: true box %d has the label %d",
                 name, i, truths[i].label);
    }
    check_threshold(place, name, iou);
}

// What has been checked.
static PrecisionRecall curve_of(Place place, Arena *arena, const Detection *detections, int count,
                                const TrueBox *truths, int truth_count, int label, double iou)
{
    PrecisionRecall curve = {.count = 0};
    Target *targets = targets_of(place, arena, truths, truth_count, label, &curve.truths);
    const Numbered *boxes = detections_of(place, arena, detections, count, label, &curve.count);
    curve.precision = arena_alloc_at(place, arena, (size_t)curve.count, sizeof *curve.precision);
    curve.recall = arena_alloc_at(place, arena, (size_t)curve.count, sizeof *curve.recall);
    curve.score = arena_alloc_at(place, arena, (size_t)curve.count, sizeof *curve.score);
    curve.right = arena_alloc_at(place, arena, (size_t)curve.count, sizeof *curve.right);
    int right = 0;
    for (int i = 0; i < curve.count; i++) {
        double best;
        Target *target =
            nearest(targets, curve.truths, boxes[i].detection.image, boxes[i].detection.box, &best);
        curve.right[i] = target && best >= iou && !target->found;
        if (curve.right[i]) {
            target->found = true;
            right++;
        }
        curve.precision[i] = (double)right / (i + 1);
        curve.recall[i] = curve.truths ? (double)right / curve.truths : (double)NAN;
        curve.score[i] = boxes[i].detection.score;
    }
    return curve;
}

PrecisionRecall precision_recall_at(Place place, Arena *arena, const Detection *detections, int count,
                                    const TrueBox *truths, int truth_count, int label, double iou)
{
    check_lists(place, "precision_recall", detections, count, truths, truth_count, iou);
    return curve_of(place, arena, detections, count, truths, truth_count, label, iou);
}

// Recall rises by 1 / truths where a detection is right; there, the largest precision from it on counts.
static double area_below(const PrecisionRecall *curve)
{
    if (curve->truths == 0) return (double)NAN;
    double area = 0.0, highest = 0.0;
    for (int i = curve->count - 1; i >= 0; i--) {
        highest = most(highest, curve->precision[i]);
        if (curve->right[i]) area += highest;
    }
    return area / curve->truths;
}

double average_precision_at(Place place, const Detection *detections, int count, const TrueBox *truths,
                            int truth_count, int label, double iou)
{
    check_lists(place, "average_precision", detections, count, truths, truth_count, iou);
    Arena *arena = arena_new();
    const PrecisionRecall curve = curve_of(place, arena, detections, count, truths, truth_count, label, iou);
    const double area = area_below(&curve);
    arena_free(arena);
    return area;
}

double mean_average_precision_at(Place place, const Detection *detections, int count, const TrueBox *truths,
                                 int truth_count, int labels, double iou, double *each)
{
    check_lists(place, "mean_average_precision", detections, count, truths, truth_count, iou);
    for (int i = 0; i < count; i++)
        check_at(place, detections[i].label < labels, "labels count from 0",
                 "mean_average_precision: detection %d has the label %d of %d", i, detections[i].label,
                 labels);
    for (int i = 0; i < truth_count; i++)
        check_at(place, truths[i].label < labels, "labels count from 0",
                 "mean_average_precision: true box %d has the label %d of %d", i, truths[i].label, labels);
    Arena *arena = arena_new();
    double sum = 0.0;
    int counted = 0;
    for (int label = 0; label < labels; label++) {
        const ArenaMark mark = arena_mark(arena);
        const PrecisionRecall curve =
            curve_of(place, arena, detections, count, truths, truth_count, label, iou);
        const double area = area_below(&curve);
        arena_rewind(arena, mark);
        if (each) each[label] = area;
        if (curve.truths == 0) continue;
        sum += area;
        counted++;
    }
    arena_free(arena);
    return counted ? sum / counted : (double)NAN;
}
