// metrics.c: see metrics.h.
#include "learning/metrics.h"

#include <math.h>

#include "base/mathf.h"

Confusion confusion_new_at(Place place, Arena *arena, int classes)
{
    check_at(place, classes >= 1, "a confusion matrix has a row for each class", "confusion_new: %d classes",
             classes);
    const size_t cells = size_product(place, (size_t)classes, (size_t)classes);
    return (Confusion){classes, arena_zeros_at(place, arena, cells, sizeof(int64_t))};
}

void confusion_count_at(Place place, Confusion *confusion, const int *truth, const int *predicted, int count)
{
    const int classes = confusion->classes;
    for (int i = 0; i < count; i++) {
        check_at(place, truth[i] >= -1 && truth[i] < classes, "classes count from 0; -1 is not counted",
                 "confusion_count: the truth of example %d is %d, and there are %d classes", i, truth[i],
                 classes);
        if (truth[i] < 0) continue;
        check_at(place, predicted[i] >= 0 && predicted[i] < classes, "classes count from 0",
                 "confusion_count: example %d was called %d, and there are %d classes", i, predicted[i],
                 classes);
        confusion->counts[(size_t)truth[i] * (size_t)classes + (size_t)predicted[i]]++;
    }
}

static int64_t cell(const Confusion *confusion, int truth, int predicted)
{
    return confusion->counts[(size_t)truth * (size_t)confusion->classes + (size_t)predicted];
}

double confusion_iou(const Confusion *confusion, int label)
{
    const int64_t both = cell(confusion, label, label);
    int64_t either = -both; // it is in the row and in the column
    for (int other = 0; other < confusion->classes; other++)
        either += cell(confusion, label, other) + cell(confusion, other, label);
    return either ? (double)both / (double)either : (double)NAN;
}

double confusion_mean_iou(const Confusion *confusion, double *each)
{
    double sum = 0.0;
    int counted = 0;
    for (int label = 0; label < confusion->classes; label++) {
        const double iou = confusion_iou(confusion, label);
        if (each) each[label] = iou;
        if (isnan(iou)) continue;
        sum += iou;
        counted++;
    }
    return counted ? sum / counted : (double)NAN;
}

double confusion_accuracy(const Confusion *confusion)
{
    int64_t right = 0, all = 0;
    for (int truth = 0; truth < confusion->classes; truth++) {
        right += cell(confusion, truth, truth);
        for (int predicted = 0; predicted < confusion->classes; predicted++)
            all += cell(confusion, truth, predicted);
    }
    return all ? (double)right / (double)all : (double)NAN;
}

// 10 log₁₀ of a positive number m · 2ᵏ, m from ½ to 1: only log m is a float.
static double decibels(double ratio)
{
    int k;
    const double m = frexp(ratio, &k);
    return 4.342944819032518 * (k * 0.6931471805599453 + (double)log32((float)m)); // 10 / ln 10, ln 2
}

double peak_signal_noise_ratio_at(Place place, Matrix a, Matrix b, float peak)
{
    check_at(place, a.rows == b.rows && a.cols == b.cols, "both are the same image",
             "peak_signal_noise_ratio: (%d × %d) and (%d × %d)", a.rows, a.cols, b.rows, b.cols);
    check_at(place, a.rows > 0 && a.cols > 0, "an image has pixels", "peak_signal_noise_ratio: (%d × %d)",
             a.rows, a.cols);
    check_at(place, peak > 0.0f && isfinite(peak), "the largest value of a pixel, 1 or 255",
             "peak_signal_noise_ratio: a peak of %g", (double)peak);
    const size_t count = (size_t)a.rows * (size_t)a.cols;
    double squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double error = (double)a.data[i] - (double)b.data[i];
        squares += error * error;
    }
    if (!isfinite(squares)) return (double)NAN;
    if (squares == 0.0) return (double)INFINITY;
    return decibels((double)peak * (double)peak / (squares / (double)count));
}
